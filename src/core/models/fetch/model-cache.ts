import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messagesOf } from '../../runner/errors.ts';
import type { Log } from '../../runner/log.ts';
import type { DigestAlgorithm } from '../digest-plan.ts';

interface Digest {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

/** Files that were fetched before, by their digest. A fault of the cache costs a download and nothing else. */
export interface ModelCache {
  /** Puts the file with this digest at `path`, if the cache has it; the caller verifies it like a download. */
  readonly restore: (digest: Digest, path: string) => Promise<boolean>;
  readonly save: (digest: Digest, path: string) => Promise<void>;
}

/** GitHub's cache of the repository, through @actions/cache, which is loaded when it is first used. */
export function createModelCache(temp: string, log: Log): ModelCache {
  // The path is part of a cache's identity: it must be the same where a file is saved and where it is restored.
  const placeOf = ({ hex }: Digest): string => join(temp, 'slipway-models', hex);
  const attempt = async <T>(
    doing: string,
    otherwise: T,
    body: (cache: typeof import('@actions/cache')) => Promise<T>,
  ): Promise<T> => {
    try {
      const cache = await import('@actions/cache');
      return cache.isFeatureAvailable() ? await body(cache) : otherwise;
    } catch (error) {
      log.info(`the cache could not be ${doing}: ${messagesOf(error).join(': ')}`);
      return otherwise;
    }
  };
  return {
    restore: (digest, path) =>
      attempt('read', false, async ({ restoreCache }) => {
        const place = placeOf(digest);
        const found = await restoreCache([place], keyOf(digest));
        if (found === undefined || !existsSync(place)) return false;
        move(place, path);
        return true;
      }),
    save: (digest, path) =>
      attempt('written', undefined, async ({ saveCache }) => {
        const place = placeOf(digest);
        mkdirSync(dirname(place), { recursive: true });
        try {
          duplicate(path, place);
          await saveCache([place], keyOf(digest));
        } finally {
          rmSync(place, { force: true });
        }
      }),
  };
}

function keyOf({ algorithm, hex }: Digest): string {
  return `slipway-model-${algorithm}-${hex}`;
}

function move(from: string, to: string): void {
  duplicate(from, to);
  rmSync(from);
}

/** A second name costs nothing; over file systems it must be a copy. */
function duplicate(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
