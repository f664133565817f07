import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Keeps how many checks of a part passed and failed, for the one line that scripts/tally.mjs ends a CI run with. */
export function writeTally(part: string, tally: { readonly passed: number; readonly failed: number }): void {
  const folder = join(import.meta.dirname, '../.cache/tally');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${part}.json`), JSON.stringify(tally));
}
