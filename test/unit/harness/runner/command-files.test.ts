import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CommandFileName,
  createCommandFiles,
  parseKeyValues,
  readCommandFiles,
} from '../../../harness/runner/command-files.ts';

describe('parseKeyValues', () => {
  it.each([
    ['nothing', '', {}],
    ['a pair', 'a=1\n', { a: '1' }],
    ['a pair without a last line end', 'a=1', { a: '1' }],
    ['a value with equals signs and arrows', 'a=b=c<<d\n', { a: 'b=c<<d' }],
    ['empty lines', '\n\na=1\n\n', { a: '1' }],
    ['an empty value', 'a=\n', { a: '' }],
    ['a heredoc', 'a<<EOF\nx\ny\nEOF\n', { a: 'x\ny' }],
    ['a heredoc with an empty value', 'a<<EOF\nEOF\n', { a: '' }],
    ['a heredoc whose value holds pairs', 'a<<EOF\nb=1\nc<<X\nEOF\nd=2\n', { a: 'b=1\nc<<X', d: '2' }],
    ['a heredoc whose delimiter holds an equals sign', 'a<<E=F\nx\nE=F\n', { a: 'x' }],
    ['a heredoc that ends without a line end', 'a<<EOF\nx\nEOF', { a: 'x' }],
    ['carriage returns as part of a value', 'a=1\r\n', { a: '1\r' }],
    ['a later value over an earlier one', 'a=1\na=2\n', { a: '2' }],
  ])('reads %s', (_, text, expected) => {
    expect(Object.fromEntries(parseKeyValues(text))).toEqual(expected);
  });

  it.each([
    ['a line without a separator', 'hello\n', "Invalid format 'hello'"],
    ['a heredoc without a name', '<<EOF\nx\nEOF\n', 'Name must not be empty'],
    ['a heredoc without a delimiter', 'a<<\nx\n', 'delimiter must not be empty'],
    ['a heredoc that never ends', 'a<<EOF\nx\nEOF2\n', "Matching delimiter not found 'EOF'"],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseKeyValues(text)).toThrow(message);
  });
});

describe('readCommandFiles', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'command-files-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const written = async (contents: Partial<Record<CommandFileName, string>>) => {
    const files = await createCommandFiles(folder);
    for (const name of ['output', 'env', 'path', 'state', 'step_summary'] as const) {
      await appendFile(files[name], contents[name] ?? '');
    }
    return readCommandFiles(files);
  };

  it('reads all five files', async () => {
    const contents = await written({
      output: 'o=1\n',
      env: 'E=2\n',
      path: '/a\n\n/b\n',
      state: 's=3\n',
      step_summary: '# hi',
    });
    expect(contents).toEqual({
      outputs: { o: '1' },
      env: { E: '2' },
      path: ['/a', '/b'],
      state: { s: '3' },
      summary: '# hi',
      errors: [],
    });
  });

  it('fails on a malformed file and still reads the others', async () => {
    const contents = await written({ output: 'oops\n', env: 'E=2\n' });
    expect(contents.env).toEqual({ E: '2' });
    expect(contents.errors.map((error) => error.message)).toEqual([
      "Unable to process file command 'output' successfully.",
      "Invalid format 'oops'",
    ]);
    expect(contents.errors.every((error) => error.fails)).toBe(true);
  });

  it('drops a summary of more than 1 MiB without failing', async () => {
    const atLimit = await written({ step_summary: 'x'.repeat(1024 * 1024) });
    expect([atLimit.summary.length, atLimit.errors]).toEqual([1024 * 1024, []]);
    const above = await written({ step_summary: 'x'.repeat(1024 * 1024 + 1) });
    expect(above.summary).toBe('');
    expect(above.errors).toEqual([{ fails: false, message: expect.stringContaining('upload aborted') }]);
  });

  it('keeps the outputs of a step whatever their size: GitHub limits those of a job', async () => {
    const { outputs, errors } = await written({ output: `big=${'x'.repeat(2_000_000)}\n` });
    expect(outputs['big']).toHaveLength(2_000_000);
    expect(errors).toEqual([]);
  });

  it('refuses NODE_OPTIONS from GITHUB_ENV', async () => {
    const contents = await written({ env: 'NODE_OPTIONS=--inspect\nA=1\n' });
    expect(contents.env).toEqual({ A: '1' });
    expect(contents.errors).toEqual([{ fails: true, message: expect.stringContaining("Can't store NODE_OPTIONS") }]);
  });
});
