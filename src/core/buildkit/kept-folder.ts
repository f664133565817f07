import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../runner/commands.ts';
import type { Log } from '../runner/log.ts';
import { startCacheGate } from './cache-gate.ts';

/** GitHub's cache for folders, with its own client. */
export interface KeptFolders {
  /** Fills a folder from the newest entry whose key starts with a prefix; its key, or undefined where there is none. */
  readonly restore: (folder: string, prefix: string) => Promise<string | undefined>;
  /** Saves a folder under a key that nothing has yet. */
  readonly save: (folder: string, key: string) => Promise<void>;
}

export interface KeptFolderOptions {
  readonly environment: Environment;
  /** Milliseconds of silence, and of one call altogether. */
  readonly patience: number;
  readonly deadline: number;
  readonly log: Log;
}

const VARIABLES = [
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_CACHE_SERVICE_V2',
  'GITHUB_SERVER_URL',
  'RUNNER_TEMP',
  'GITHUB_WORKSPACE',
];

/**
 * Calls `use` with GitHub's cache, behind a gate that answers in bounded time.
 *
 * `@actions/cache` takes its address and its token from this process's environment only: they stand there for as long
 * as `use` runs. It is imported here, because it is three times as large as all else that this action loads.
 */
export async function withKeptFolders<T>(
  { environment, patience, deadline, log }: KeptFolderOptions,
  use: (folders: KeptFolders) => Promise<T>,
): Promise<T> {
  const target = environment['ACTIONS_RESULTS_URL'] ?? '';
  const gate = await startCacheGate({ target, patience, log, guests: 'this-machine' });
  const before = new Map(['ACTIONS_RESULTS_URL', ...VARIABLES].map((name) => [name, process.env[name]]));
  for (const name of VARIABLES) process.env[name] = environment[name] ?? '';
  process.env['ACTIONS_RESULTS_URL'] = gate.urlAt('127.0.0.1');
  try {
    const { restoreCache, saveCache } = await import('@actions/cache');
    return await use({
      restore: (folder, prefix) => within(deadline, restoreCache([folder], `${prefix}newest`, [prefix])),
      save: async (folder, key) => {
        await within(deadline, saveCache([folder], key));
      },
    });
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await gate.stop();
  }
}

async function within<T>(deadline: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(deadline, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`it took longer than ${Math.round(deadline / 1_000)} s`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    late.catch(() => undefined);
    timer.abort();
  }
}

/** SHA-256 of a file in hex. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
