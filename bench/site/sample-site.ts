import { createHash } from 'node:crypto';
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A built site on disk, whose files hold what does not compress. */
export interface SampleSite {
  readonly folder: string;
  /** Gives every file the time of now, as a checkout or a build does. */
  touch(): Promise<void>;
  /** Changes one file in a hundred: new names for changed chunks, and the start page that refers to them. */
  change(): Promise<number>;
}

/** Nine files in ten are chunks with fingerprints; the rest are pages and pictures. `size` is the mean in bytes. */
export async function makeSite(folder: string, count: number, size: number): Promise<SampleSite> {
  await rm(folder, { recursive: true, force: true });
  const paths = Array.from({ length: count }, (_, index) => pathOf(index, 0));
  for (const [index, path] of paths.entries()) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    // From half the mean to one and a half of it.
    await writeFile(join(folder, path), noise(`${path} 0`, Math.round(size * (0.5 + ((index * 37) % 101) / 100))));
  }
  let version = 0;
  return {
    folder,
    async touch() {
      const now = new Date();
      for (const path of paths) await utimes(join(folder, path), now, now);
    },
    async change() {
      version += 1;
      const changed = [...paths.keys()].filter((index) => index % 100 === 0);
      for (const index of changed) {
        const [old = '', path] = [paths[index], pathOf(index, version)];
        await rename(join(folder, old), join(folder, path));
        await writeFile(join(folder, path), noise(`${path} ${version}`, size));
        paths[index] = path;
      }
      return changed.length;
    },
  };
}

function pathOf(index: number, version: number): string {
  if (index === 0) return 'index.html';
  if (index % 20 === 1) return `pages/section-${index % 7}/page-${index}.html`;
  if (index % 20 === 2) return `images/picture-${index}.png`;
  const digest = createHash('sha256')
    .update(`${index} ${index % 100 === 0 ? version : 0}`)
    .digest('hex')
    .slice(0, 8);
  return `assets/chunk-${index}-a1${digest.slice(2)}.js`;
}

/** Bytes that look random and are the same in every run. */
function noise(seed: string, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let made = 0, round = 0; made < length; made += 64, round += 1) {
    parts.push(createHash('sha512').update(`${seed} ${round}`).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}
