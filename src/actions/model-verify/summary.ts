import type { JudgedModel } from '../../core/models/judge-models.ts';
import {
  code,
  counted,
  formatBytes,
  numbers,
  plain,
  shortDigest,
  shortenDigests,
  table,
} from '../../core/report/markdown.ts';

const MAX_FINDINGS = 200;

/** The job summary: a table of the models, and the findings; these first where a model is refused. */
export function summarize(judged: readonly JudgedModel[], signature: string | undefined): string {
  if (judged.length === 0) return '## Models: none to verify\n';
  const refused = judged.filter((each) => !isVerified(each)).length;
  return `${[
    `## ${titleOf(judged.length, refused)}`,
    ...(signature === undefined ? [] : [`The signature ${code(signature)} is verified.`]),
    ...(refused === 0
      ? [modelsTable(judged), ...findingsTable(judged)]
      : [...findingsTable(judged), modelsTable(judged)]),
  ].join('\n\n')}\n`;
}

function titleOf(models: number, refused: number): string {
  if (refused === 0) return `${counted(models, 'model')} verified`;
  return models === 1 ? 'The model is refused' : `${refused} of ${models} models refused`;
}

function isVerified({ findings }: JudgedModel): boolean {
  return findings.every(({ severity }) => severity === 'note');
}

function findingsTable(judged: readonly JudgedModel[]): readonly string[] {
  const found = judged.flatMap(({ model, findings }) =>
    findings.map(({ severity, entry, offset, message }) => [
      severity,
      code(entry === undefined ? model.path : `${model.path}!${entry}`),
      offset === undefined ? '' : String(offset),
      plain(shortenDigests(message)),
    ]),
  );
  if (found.length === 0) return [];
  const head = ['Severity', 'File', numbers('Byte'), 'Finding'];
  return [
    table(head, found.slice(0, MAX_FINDINGS)),
    ...(found.length > MAX_FINDINGS ? [`${counted(found.length - MAX_FINDINGS, 'more finding')} in the report.`] : []),
  ];
}

function modelsTable(judged: readonly JudgedModel[]): string {
  const head = [
    '',
    'Model',
    'Format',
    numbers('Size'),
    numbers('Parameters'),
    numbers('Tensors'),
    'SHA-256',
    'Checksum',
  ];
  return table(
    head,
    judged.map((each) => [
      isVerified(each) ? '✅' : '❌',
      code(each.model.path),
      each.model.format,
      formatBytes(each.model.size),
      each.model.parameters === undefined ? '' : formatCount(each.model.parameters),
      each.model.tensors === undefined ? '' : String(each.model.tensors),
      code(shortDigest(each.model.sha256)),
      digestWord(each),
    ]),
  );
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
