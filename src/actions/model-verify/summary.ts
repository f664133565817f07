import type { JudgedModel } from '../../core/models/judge-models.ts';
import { code, formatBytes, plain, table } from '../../core/report/markdown.ts';

/** The job summary: a table of the models, then the findings. */
export function summarize(judged: readonly JudgedModel[]): string {
  if (judged.length === 0) return '## Models\n\nThere is no model to verify.\n';
  const rows = judged.map(({ model, expected, findings }) => [
    findings.length === 0 ? '✅' : '❌',
    code(model.path),
    model.format,
    model.tensors === undefined ? '' : String(model.tensors),
    formatBytes(model.size),
    code(model.sha256.slice(0, 16)),
    expected === undefined
      ? 'not listed'
      : findings.some(({ rule }) => rule === 'checksum')
        ? 'differs'
        : 'as expected',
  ]);
  const found = judged.flatMap(({ model, findings }) =>
    findings.map(({ severity, entry, offset, message }) => [
      severity,
      code(entry === undefined ? model.path : `${model.path}!${entry}`),
      offset === undefined ? '' : String(offset),
      plain(message),
    ]),
  );
  const head = ['', 'model', 'format', 'tensors', 'size', 'sha256', 'digest'];
  const findings =
    found.length === 0 ? '' : `\n\n### Findings\n\n${table(['severity', 'file', 'byte', 'what'], found)}`;
  return `## Models\n\n${table(head, rows)}${findings}\n`;
}
