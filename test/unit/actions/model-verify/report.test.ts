import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createProgress } from '../../../../src/actions/model-verify/progress.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { BENIGN, PAYLOAD } from '../../core/models/generators/pickle.ts';
import { safetensors } from '../../core/models/generators/tensors.ts';
import { torchZip } from '../../core/models/generators/zip.ts';
import { createWorkspace } from './verify-step.ts';

const OTHER = safetensors({ v: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] } }, 16);

afterEach(() => vi.useRealTimers());

/** What the schema of SARIF 2.1.0 says against a report. It is of draft 4, which the validator that comes with it reads. */
function problemsOf(report: unknown): string | undefined {
  const sarif = createRequire(import.meta.resolve('@microsoft/jest-sarif'));
  const Ajv = sarif('ajv');
  const validator = new Ajv({ schemaId: 'auto', validateSchema: false, allErrors: true });
  validator.addMetaSchema(sarif('ajv/lib/refs/json-schema-draft-04.json'));
  const schema: object = sarif('./schemas/sarif-2.1.0-rtm.5.json');
  return validator.validate(schema, report) ? undefined : validator.errorsText();
}

test('the report is accepted by the schema of SARIF 2.1.0', async () => {
  using step = createWorkspace({
    'a b.pkl': PAYLOAD,
    'b.safetensors': OTHER,
    SHA256SUMS: `${'0'.repeat(64)}  b.safetensors\n`,
  });
  const { outputs } = await step.verify({ models: 'a b.pkl\nb.safetensors', manifest: 'SHA256SUMS' });
  const report: unknown = JSON.parse(readFileSync(String(outputs.report), 'utf8'));
  expect(problemsOf(report)).toBeUndefined();
  expect(problemsOf({ version: '2.1.0', runs: [{}] })).toBeDefined();
  expect(report).toMatchObject({
    runs: [
      {
        results: [
          {
            ruleId: 'pickle-import',
            level: 'error',
            locations: [{ physicalLocation: { artifactLocation: { uri: 'a%20b.pkl' }, region: { byteOffset: 2 } } }],
          },
          {
            ruleId: 'checksum',
            relatedLocations: [
              { physicalLocation: { artifactLocation: { uri: 'SHA256SUMS' }, region: { startLine: 1 } } },
            ],
          },
        ],
      },
    ],
  });
});

/** Names that readers of logs, tables and addresses may take for something else. */
const NAMES = [
  'a\nb.pkl',
  '::error::x.pkl',
  '%0A%25.pkl',
  'a|b`c.pkl',
  '<img src=x>.pkl',
  'ü 😀.pkl',
  '\u202egnp.pkl',
  'C:\\x.pkl',
  'a#b?c.pkl',
  ' .pkl',
];

describe('hostile names', () => {
  test('stand in report, log and summary as what they are', async () => {
    using step = createWorkspace(Object.fromEntries(NAMES.map((name) => [`m/${name}`, PAYLOAD])));
    const inner = torchZip(BENIGN, { name: 'best/x\n::error::y', content: PAYLOAD });
    writeFileSync(join(step.workspace, 'm/inner.pt'), inner);
    const { outputs, lines, summary } = await step.verify({ models: 'm' });
    expect(outputs.manifest).toHaveLength(NAMES.length + 1);
    const report: unknown = JSON.parse(readFileSync(String(outputs.report), 'utf8'));
    expect(problemsOf(report)).toBeUndefined();
    for (const name of NAMES)
      expect(report).toMatchObject({
        runs: [
          {
            results: expect.arrayContaining([
              expect.objectContaining({
                locations: [
                  {
                    physicalLocation: expect.objectContaining({
                      artifactLocation: { uri: `m/${encodeURIComponent(name)}` },
                    }),
                  },
                ],
              }),
            ]),
          },
        ],
      });
    for (const line of lines) expect(line).not.toMatch(/\n|^::error::/);
    expect(lines.filter((line) => line.startsWith('::error'))).toHaveLength(10);
    const cells = summary.split('\n').filter((line) => line.startsWith('|') || line.includes('❌'));
    for (const row of cells) expect(row).not.toMatch(/<img/);
    expect(summary.split('\n').filter((line) => /^\| ❌/.test(line))).toHaveLength(NAMES.length + 1);
  });

  test('and links that lead out are refused', async () => {
    using step = createWorkspace({ 'a.pkl': BENIGN });
    mkdirSync(join(step.workspace, 'm'));
    symlinkSync('/etc/hostname', join(step.workspace, 'm/link.pkl'));
    await expect(step.verify({ models: 'm/*' })).rejects.toThrow('is a link that leaves the repository');
    step.write('SHA256SUMS', `${'0'.repeat(64)}  m/link.pkl\n`);
    await expect(step.verify({ manifest: 'SHA256SUMS' })).rejects.toMatchObject({
      place: { file: 'SHA256SUMS', line: 1 },
    });
    symlinkSync('../a.pkl', join(step.workspace, 'm/inside.pkl'));
    expect((await step.verify({ models: 'm/inside.pkl' })).failure).toBeUndefined();
  });
});

test('the summary has a table of the models with formats, parameters, sizes and findings', async () => {
  using step = createWorkspace({ 'a.pkl': PAYLOAD, 'b.safetensors': OTHER });
  const { summary } = await step.verify({ models: 'a.pkl\nb.safetensors' });
  expect(summary).toMatch(/Model \| Format \| Size \| Parameters \| Tensors \| SHA-256/);
  expect(summary).toMatch(/<code>b\.safetensors<\/code> \| safetensors \| \d+&nbsp;B \| 4 \| 1 \|/);
  expect(summary).toMatch(/dangerous \| <code>a\.pkl<\/code> \| 2 \| it imports os\.system/);
});

test('a progress line comes every five seconds, with rate and time left', () => {
  vi.useFakeTimers({ now: 0 });
  using step = createWorkspace({ 'a.bin': Buffer.alloc(10_000_000) });
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), { debug: false });
  const tell = createProgress([{ file: join(step.workspace, 'a.bin') }, { file: join(step.workspace, 'none') }], log);
  for (let second = 1; second <= 11; second += 1) {
    vi.setSystemTime(second * 1000);
    tell(500_000);
  }
  expect(lines).toEqual([
    expect.stringMatching(/^2\.5 MB of 10(?:\.0)? MB, 500(?:\.0)? kB\/s, 15(?:\.0)? s left$/),
    expect.stringMatching(/^5(?:\.0)? MB of 10(?:\.0)? MB, 500(?:\.0)? kB\/s, 10(?:\.0)? s left$/),
  ]);
});
