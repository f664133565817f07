import type { Row } from './row.ts';

/** What `strategy.matrix` takes. */
export interface Matrix {
  readonly include: readonly Row[];
}

/** Rows in lists of at most `size`: GitHub runs no matrix of more than 256 jobs. */
export function toShards(rows: readonly Row[], size: number): readonly Matrix[] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, index) => ({
    include: rows.slice(index * size, (index + 1) * size),
  }));
}

/** Rows by wave, the first wave first; waves that have no row are left out. */
export function toWaves(rows: readonly Row[]): readonly Matrix[] {
  const waves = [...new Set(rows.map(({ wave }) => wave))].sort((a, b) => a - b);
  return waves.map((wave) => ({ include: rows.filter((row) => row.wave === wave) }));
}
