import { describe, expect, test } from 'vitest';
import { parseRow, parseRows } from '../../../../src/core/images/row.ts';

test('a row of an image alone gets the defaults that build-matrix writes', () => {
  expect(parseRow('{"image":"api"}')).toEqual({
    id: 'api-linux-amd64',
    image: 'api',
    variant: '',
    platform: 'linux/amd64',
    runner: 'ubuntu-24.04',
    context: '.',
    dockerfile: 'Dockerfile',
    target: '',
    args: {},
    contexts: {},
    suffix: '',
    scope: 'api-linux-amd64',
    wave: 0,
    needs: [],
    inputs: '',
    exists: false,
    reason: '',
    models: [],
    export: '',
    'cache-mode': 'max',
    'free-disk-space': false,
    'total-rows': 0,
    build: {},
  });
});

test('what else a definition says of the build is kept under the names of bake', () => {
  const build = {
    'dockerfile-inline': 'FROM scratch\n',
    labels: { a: 'b' },
    network: 'none',
    'shm-size': '2g',
    ulimits: ['nofile=1:2'],
    'extra-hosts': { h: '1.2.3.4' },
    'no-cache': true,
    'no-cache-filter': ['base'],
    pull: true,
  };
  expect(parseRow(JSON.stringify({ image: 'a', build })).build).toEqual(build);
});

test.each([
  ['{"image":"a","build":[]}', /"build" of the row is no JSON object/],
  ['{"image":"a","build":{"secret":["id=x"]}}', /"build" of the row holds "secret"; it may hold dockerfile-inline/],
  ['{"image":"a","build":{"network":"a b"}}', /"network" of "build" of the row is "a b"/],
])('%s is refused', (text, message) => {
  expect(() => parseRow(text)).toThrow(message);
});

test('a variant names the row and its suffix', () => {
  expect(parseRow('{"image":"api","variant":"gpu"}')).toMatchObject({ id: 'api-gpu-linux-amd64', suffix: '-gpu' });
});

test.each([
  ['one row', '{"image":"a"}', 1],
  ['a list', '[{"image":"a"},{"image":"b"}]', 2],
  ['a matrix', '{"include":[{"image":"a"},{"image":"b"},{"image":"c"}]}', 3],
  ['an empty matrix', '{"include":[]}', 0],
])('%s is read as rows', (_, text, count) => {
  expect(parseRows(text)).toHaveLength(count);
});

describe('a hostile or broken row is refused by field', () => {
  test.each([
    ['', 'no JSON'],
    ['[1]', 'the row is no JSON object'],
    ['null', 'no JSON object'],
    ['{}', '"image" of the row'],
    ['{"image":"A"}', '"image" of the row is "A"'],
    ['{"image":"a/../b"}', '"image"'],
    ['{"image":"a","context":"../x"}', '"context"'],
    ['{"image":"a","context":"/etc"}', '"context"'],
    ['{"image":"a","dockerfile":"C:\\\\x"}', '"dockerfile"'],
    ['{"image":"a","context":"a\\nb"}', '"context"'],
    ['{"image":"a","target":"$(id)"}', '"target"'],
    ['{"image":"a","platform":"linux"}', '"platform"'],
    ['{"image":"a","args":["A=1"]}', '"args"'],
    ['{"image":"a","args":{"A":1}}', '"args"'],
    ['{"image":"a","needs":"b"}', '"needs"'],
    ['{"image":"a","inputs":"abc"}', '"inputs"'],
    ['{"image":"a","exists":"yes"}', '"exists"'],
    ['{"image":"a","wave":-1}', '"wave"'],
  ])('%s', (text, message) => {
    expect(() => parseRow(text)).toThrow(message);
  });

  test('two rows of one id', () => {
    expect(() => parseRows('[{"image":"a"},{"image":"a"}]')).toThrow('two rows have the id "a-linux-amd64"');
  });

  test('more text than a matrix can have', () => {
    expect(() => parseRow(`{"image":"${'a'.repeat(3_000_000)}"}`)).toThrow(/2097152/);
  });
});
