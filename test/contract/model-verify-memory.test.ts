import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const bundle = path.resolve(import.meta.dirname, '../../dist/model-verify/index.js');
const LIMIT = 256 * 1024 * 1024;
let workspace: string;

beforeEach(async () => {
  workspace = await mkdtemp(path.join(tmpdir(), 'slipway-memory-'));
  await writeFile(path.join(workspace, 'output'), '');
});
afterEach(() => rm(workspace, { recursive: true, force: true }));

/** Runs before the bundle, and has the process say at its end what it held at most, its threads included. */
const TELL_PEAK = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => process.stderr.write('PEAK ' + process.resourceUsage().maxRSS))",
)}`;

/** Bytes that the step held at most, and what it printed. */
function runStep(): { readonly peak: number; readonly log: string } {
  const { stderr, stdout } = spawnSync(process.execPath, ['--import', TELL_PEAK, bundle], {
    encoding: 'utf8',
    env: {
      GITHUB_WORKSPACE: workspace,
      RUNNER_TEMP: workspace,
      GITHUB_OUTPUT: path.join(workspace, 'output'),
      INPUT_MODELS: 'model.*',
      INPUT_SCAN: 'error',
      INPUT_FETCH: 'never',
      INPUT_PLATFORM: 'linux/amd64',
      INPUT_CONCURRENCY: '0',
      'INPUT_SCAN-TIMEOUT': '1m',
      'INPUT_FETCH-TIMEOUT': '1m',
    },
  });
  const [, kilobytes] = /PEAK (\d+)/.exec(stderr) ?? [];
  return { peak: Number(kilobytes) * 1024, log: stdout };
}

const text = (value: string): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([length, Buffer.from(value)]);
};
const gguf = (keys: number, length: number): Buffer => {
  const head = Buffer.alloc(24);
  head.write('GGUF');
  head.writeUInt32LE(3, 4);
  head.writeBigUInt64LE(BigInt(keys), 16);
  const entry = (index: number): Buffer =>
    Buffer.concat([text(String(index).padStart(length, 'k')), Buffer.from([0, 0, 0, 0, 0])]);
  return Buffer.concat([head, ...Array.from({ length: keys }, (_, index) => entry(index))]);
};

/** Files that would have a reader hold many times their size. */
const files: readonly (readonly [name: string, extension: string, bytes: () => Buffer])[] = [
  [
    'a pickle that keeps a million values and stacks 250,000 more',
    'pkl',
    () => Buffer.from(`\x80\x04${'K\x01\x940'.repeat(999_000)}(${'K\x01'.repeat(249_000)}t.`, 'latin1'),
  ],
  [
    'a pickle of texts that are all kept',
    'pkl',
    () => Buffer.from(`\x80\x04${'\x8c\x01a\x940'.repeat(740_000)}(${'\x8c\x01a\x94'.repeat(249_000)}t.`, 'latin1'),
  ],
  ['ten million empty lists', 'json', () => Buffer.from(`{"chat_template":[${'[],'.repeat(10_000_000)}[]]}`)],
  ['a GGUF whose keys are 100 MB', 'gguf', () => gguf(1700, 60_000)],
  ['a GGUF of 500,000 keys', 'gguf', () => gguf(500_000, 8)],
  [
    'a safetensors header of thirteen million dimensions',
    'safetensors',
    () => {
      const header = Buffer.from(`{"a":{"dtype":"U8","shape":[${'1,'.repeat(13_000_000)}1],"data_offsets":[0,1]}}`);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      return Buffer.concat([length, header, Buffer.alloc(1)]);
    },
  ],
];

describe('the step holds less than 256 MB', () => {
  test.each(files)('of %s', { timeout: 120_000 }, async (_, extension, bytes) => {
    await writeFile(path.join(workspace, `model.${extension}`), bytes());
    const { peak, log } = runStep();
    // A step that fails before it reads anything holds little, too.
    expect(log).toMatch(new RegExp(`^model\\.${extension}: \\w+, \\d+ bytes, sha256 `, 'm'));
    expect(log).not.toContain('the runner gave');
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(LIMIT);
  });
});
