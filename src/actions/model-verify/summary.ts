import type { JudgedModel } from '../../core/models/judge-models.ts';
import { code, formatBytes, plain, table } from '../../core/report/markdown.ts';

const MAX_FINDINGS = 200;

/** The job summary: a table of the models, then the findings. */
export function summarize(judged: readonly JudgedModel[], signature: string | undefined): string {
  if (judged.length === 0) return '## Models\n\nThere is no model to verify.\n';
  const rows = judged.map((each) => [
    each.findings.every(({ severity }) => severity === 'note') ? '✅' : '❌',
    code(each.model.path),
    each.model.format,
    each.model.tensors === undefined ? '' : String(each.model.tensors),
    each.model.parameters === undefined ? '' : formatCount(each.model.parameters),
    formatBytes(each.model.size),
    code(each.model.sha256.slice(0, 16)),
    digestWord(each),
  ]);
  const found = judged.flatMap(({ model, findings }) =>
    findings.map(({ severity, entry, offset, message }) => [
      severity,
      code(entry === undefined ? model.path : `${model.path}!${entry}`),
      offset === undefined ? '' : String(offset),
      plain(message),
    ]),
  );
  const head = ['', 'model', 'format', 'tensors', 'parameters', 'size', 'sha256', 'digest'];
  const rest = found.length > MAX_FINDINGS ? `\n\n${found.length - MAX_FINDINGS} more stand in the report.` : '';
  const findings =
    found.length === 0
      ? ''
      : `\n\n### Findings\n\n${table(['severity', 'file', 'byte', 'what'], found.slice(0, MAX_FINDINGS))}${rest}`;
  const signed = signature === undefined ? '' : `\n\nThe signature ${code(signature)} is verified.`;
  return `## Models\n\n${table(head, rows)}${signed}${findings}\n`;
}

function digestWord({ expected, findings }: JudgedModel): string {
  if (!expected.some(({ digest }) => digest !== undefined)) return 'not listed';
  return findings.some(({ rule }) => rule === 'checksum') ? 'differs' : 'as expected';
}

/** A count of parameters for people: `7.2 B`. */
function formatCount(count: number): string {
  const [size, unit] = (
    [
      [1e12, 'T'],
      [1e9, 'B'],
      [1e6, 'M'],
      [1e3, 'k'],
    ] as const
  ).find(([each]) => count >= each) ?? [1, ''];
  return size === 1 ? String(count) : `${(count / size).toFixed(1)} ${unit}`;
}
