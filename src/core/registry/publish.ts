import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../runner/log.ts';
import type { StoredManifest } from './manifest.ts';
import type { TagStep } from './publish-plan.ts';
import { formatReference } from './reference.ts';
import type { RegistryClient } from './registry-client.ts';

export interface WrittenTag extends TagStep {
  /** `superseded`: after it was written, another publisher moved it on. */
  readonly outcome: 'written' | 'unchanged' | 'skipped' | 'superseded';
}

export interface ReadBackPolicy {
  /** Milliseconds that a registry may answer with what the tag named before. */
  readonly longestWait: number;
  readonly firstPause: number;
}

/** GHCR answers old for a while after a write: mostly seconds, so that this much means something else is wrong. */
export const DEFAULT_READ_BACK: ReadBackPolicy = { longestWait: 90_000, firstPause: 200 };
const LONGEST_PAUSE = 8000;

/**
 * Writes the plan's tags one after the other, and reads each back until it names the digest.
 *
 * The manifests must be in their repositories already, so that no tag ever names half an image. Running it again writes
 * only what is left. A failure stops it: tags that come later, which move the farthest, stay where they were; what has
 * been done is handed to `onTag` as it happens. Throws Error when a tag does not come to name its digest in time, and
 * what `RegistryClient` throws.
 */
export async function writeTags(options: {
  readonly client: RegistryClient;
  readonly steps: readonly TagStep[];
  readonly manifestOf: (digest: string) => StoredManifest;
  readonly readBack?: ReadBackPolicy;
  readonly onTag: (tag: WrittenTag) => void;
  readonly log: Log;
}): Promise<void> {
  const { client, log } = options;
  for (const step of options.steps) {
    const name = formatReference({ ...step.repository, tag: step.tag });
    if (step.action !== 'write') {
      if (step.action === 'skip') log.notice(`${name} was left as it is: it ${step.reason}`);
      else log.info(`${name} ${step.reason}`);
      options.onTag({ ...step, outcome: step.action === 'skip' ? 'skipped' : 'unchanged' });
      continue;
    }
    await client.putManifest(step.repository, step.tag, options.manifestOf(step.digest));
    const named = await readBack(client, step, options.readBack ?? DEFAULT_READ_BACK, log);
    if (named === step.digest) log.info(`${name} names ${step.digest}`);
    else
      log.warning(
        `${name} was written as ${step.digest}, and names ${named} now: another run moved it at the same time`,
      );
    options.onTag({ ...step, outcome: named === step.digest ? 'written' : 'superseded' });
  }
}

/** How often in a row a digest that is neither the old nor the written one is believed: it can be a stale answer too. */
const FOREIGN_ANSWERS = 4;

/** The digest that a tag names once the registry no longer answers with what it named before. */
async function readBack(client: RegistryClient, step: TagStep, policy: ReadBackPolicy, log: Log): Promise<string> {
  const name = formatReference({ ...step.repository, tag: step.tag });
  const end = Date.now() + policy.longestWait;
  let foreign = 0;
  for (let pause = policy.firstPause; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const named = await client.findDigest(step.repository, step.tag);
    if (named === step.digest) return named;
    foreign = named === undefined || named === step.current ? 0 : foreign + 1;
    if (named !== undefined && foreign >= FOREIGN_ANSWERS) return named;
    if (Date.now() + pause > end) {
      const seconds = Math.round(policy.longestWait / 1000);
      throw new Error(
        `${name} was written, but the registry says after ${seconds} s that it names ${named ?? 'nothing'}`,
      );
    }
    if (pause === policy.firstPause) log.info(`${name} still names ${named ?? 'nothing'}; the registry is given time`);
    await sleep(pause);
  }
}
