import { describe, expect, test } from 'vitest';
import { toBrief, toGraphs, toShards, toWaveShards } from '../../../../src/core/images/matrices.ts';
import { parseRow, parseRows, type Row } from '../../../../src/core/images/row.ts';

const row = (image: string, fields: Partial<Row> = {}): Row =>
  parseRow(JSON.stringify({ id: image, image, ...fields }));

const base = row('base', { models: ['base.gguf'] });
const runtime = row('runtime', { wave: 1, needs: ['base'] });
const api = row('api', { wave: 2, needs: ['runtime'], models: ['api.gguf', 'base.gguf'], runner: 'large' });
const worker = row('worker', { wave: 1, needs: ['base'] });
const site = row('site');
const rows = [base, site, runtime, worker, api];

const ids = (list: readonly { readonly id: string }[]): readonly string[] => list.map(({ id }) => id);

describe('shards', () => {
  test('hold every row once, in order, and no more than their size', () => {
    expect(toShards(rows, 2).map(({ include }) => ids(include))).toEqual([
      ['base', 'site'],
      ['runtime', 'worker'],
      ['api'],
    ]);
    expect(toShards([], 2)).toEqual([]);
  });

  test('of waves never hold rows of two waves', () => {
    const shards = toWaveShards(rows, 1).map((wave) => wave.map(({ include }) => ids(include)));
    expect(shards).toEqual([[['base'], ['site']], [['runtime'], ['worker']], [['api']]]);
  });
});

describe('graphs', () => {
  test('are one for each row that no other is built from, with all it is built from before it', () => {
    expect(toGraphs(rows).map(({ id, rows: graph }) => [id, ids(graph)])).toEqual([
      ['site', ['site']],
      ['worker', ['base', 'worker']],
      ['api', ['base', 'runtime', 'api']],
    ]);
  });

  test('run where their last row runs, and name the models of all their rows once', () => {
    const last = toGraphs(rows).at(-1);
    expect(last).toMatchObject({ runner: 'large', models: ['base.gguf', 'api.gguf'] });
    expect(parseRow(JSON.stringify(last)).models).toEqual(['base.gguf', 'api.gguf']);
  });
});

test('the brief matrix is read as rows with the names and platforms of the whole one', () => {
  const gpu = row('worker', { id: 'worker-gpu-linux-amd64', variant: 'gpu', suffix: '-cuda' });
  const [read] = parseRows(JSON.stringify(toBrief([gpu])));
  expect(read).toMatchObject({ id: gpu.id, image: 'worker', variant: 'gpu', suffix: '-cuda', platform: 'linux/amd64' });
});
