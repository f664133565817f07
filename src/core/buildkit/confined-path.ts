import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';

/**
 * True when a path, with all links followed, lies in a folder or is it. Of a path that does not exist yet, its nearest
 * parent is taken.
 *
 * Bake has a check of its own for this, but leaves it out under `--progress=rawjson` (seen with buildx 0.29).
 */
export async function isInside(folder: string, path: string): Promise<boolean> {
  let existing = resolve(folder, path);
  while (!existsSync(existing)) existing = dirname(existing);
  const way = relative(await realpath(folder), await realpath(existing));
  return way !== '..' && !way.startsWith('../');
}
