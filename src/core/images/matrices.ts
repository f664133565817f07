import type { Row } from './row.ts';

/** What `strategy.matrix` takes. */
export interface Matrix<Job = Row> {
  readonly include: readonly Job[];
}

/** A row that no other is built from, together with all that it is built from: one build that needs no registry. */
export interface BuildGraph extends Pick<Row, 'id' | 'image' | 'variant' | 'platform' | 'runner' | 'models'> {
  /** In build order; the row itself comes last. */
  readonly rows: readonly Row[];
}

/** Jobs in lists of at most `size`: GitHub runs no matrix of more than 256. */
export function toShards<Job>(jobs: readonly Job[], size: number): readonly Matrix<Job>[] {
  return Array.from({ length: Math.ceil(jobs.length / size) }, (_, index) => ({
    include: jobs.slice(index * size, (index + 1) * size),
  }));
}

/** What naming needs of a row: an action's input holds 128 KB (Linux, MAX_ARG_STRLEN), not two hundred whole rows. */
export type BriefRow = Pick<Row, 'id' | 'image' | 'variant' | 'platform' | 'suffix' | 'inputs' | 'exists'>;

export function toBrief(rows: readonly Row[]): Matrix<BriefRow> {
  return {
    include: rows.map(({ id, image, variant, platform, suffix, inputs, exists }) => ({
      id,
      image,
      variant,
      platform,
      suffix,
      inputs,
      exists,
    })),
  };
}

/** Rows by wave, the first wave first; waves that have no row are left out. */
export function toWaves(rows: readonly Row[]): readonly Matrix[] {
  const waves = [...new Set(rows.map(({ wave }) => wave))].sort((a, b) => a - b);
  return waves.map((wave) => ({ include: rows.filter((row) => row.wave === wave) }));
}

/** Waves in build order, each in lists of at most `size` rows. */
export function toWaveShards(rows: readonly Row[], size: number): readonly (readonly Matrix[])[] {
  return toWaves(rows).map(({ include }) => toShards(include, size));
}

/**
 * The graphs that together build every row. `rows` come in build order, parents first.
 *
 * A pull request pushes nothing, so a job for a parent could hand its image to nobody: it is built where it is needed.
 */
export function toGraphs(rows: readonly Row[]): readonly BuildGraph[] {
  const parents = new Set(rows.flatMap(({ needs }) => needs));
  return rows
    .filter(({ id }) => !parents.has(id))
    .map((row) => {
      const wanted = new Set([row.id]);
      for (const each of rows.toReversed()) if (wanted.has(each.id)) for (const id of each.needs) wanted.add(id);
      const graph = rows.filter(({ id }) => wanted.has(id));
      const models = [...new Set(graph.flatMap((each) => each.models))];
      const { id, image, variant, platform, runner } = row;
      return { id, image, variant, platform, runner, models, rows: graph };
    });
}
