import { mkdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { ConfigurationError, type ErrorPlace } from '../../runner/errors.ts';
import type { Log } from '../../runner/log.ts';
import { isWeak } from '../digest-plan.ts';
import type { Expectation } from '../manifest/expected-file.ts';
import { type DownloadOptions, digestOfFile, downloadFile } from './download.ts';
import type { ModelCache } from './model-cache.ts';

/** A file to get, and the digest that it must have. */
export interface FetchStep {
  readonly path: string;
  readonly url: string;
  readonly digest: DownloadOptions['digest'];
  readonly size: number | undefined;
  /** Where a manifest says so. */
  readonly place: ErrorPlace;
}

/**
 * Which files are fetched: those of a manifest with a `url` that are not there, or all. Pure but for `exists`.
 * Throws ConfigurationError for a `url` without a digest: nothing would say that what comes is the right file.
 */
export function planFetch(
  expectations: readonly Expectation[],
  when: 'missing' | 'always' | 'never',
  exists: (path: string) => boolean,
): readonly FetchStep[] {
  return expectations.flatMap(({ path, url, digest, size, manifest, line }) => {
    if (url === undefined || when === 'never' || (when === 'missing' && exists(path))) return [];
    if (digest === undefined || isWeak(digest.algorithm))
      throw new ConfigurationError(
        `"${path}" has a "url" but no sha256, so that nothing says whether what comes is right`,
        { file: manifest, line },
      );
    return [{ path, url, digest, size, place: { file: manifest, line } }];
  });
}

export interface FetchContext {
  readonly root: string;
  readonly cache: ModelCache;
  readonly maxSize: number;
  readonly deadline: number;
  readonly log: Log;
}

/**
 * Gets a file under `root`, out of the cache or from its address, and returns whether the cache had it. The file gets its
 * name only when its digest is right, in one step; until then, and after every error, what stood there stands there.
 */
export async function fetchModel(step: FetchStep, context: FetchContext): Promise<boolean> {
  const target = join(context.root, step.path);
  mkdirSync(dirname(target), { recursive: true });
  // Through a link in the repository a download could be led out of it.
  if (relative(realpathSync(context.root), realpathSync(dirname(target))).startsWith('..'))
    throw new ConfigurationError(`"${step.path}" is to be fetched to a folder outside of the repository`);
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new ConfigurationError(`"${step.path}" is to be fetched, but is a folder`);
  const part = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  try {
    const isCached = await restore(step, part, context);
    if (!isCached) {
      await downloadFile(part, { ...step, maxSize: context.maxSize, deadline: context.deadline, log: context.log });
      await context.cache.save(step.digest, part);
    }
    renameSync(part, target);
    return isCached;
  } catch (error) {
    throw error instanceof ConfigurationError && error.place.file === undefined
      ? new ConfigurationError(error.message, { ...step.place, cause: error })
      : error;
  } finally {
    rmSync(part, { force: true });
  }
}

/** What the cache gave is verified like a download: others can write to a repository's cache. */
async function restore({ digest, path }: FetchStep, part: string, { cache, log }: FetchContext): Promise<boolean> {
  if (!(await cache.restore(digest, part))) return false;
  if ((await digestOfFile(part, digest.algorithm)) === digest.hex) return true;
  log.warning(`the cache held a wrong file for "${path}"; it is downloaded`);
  rmSync(part);
  return false;
}
