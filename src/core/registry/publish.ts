import { setTimeout as sleep } from 'node:timers/promises';
import { eachAtMost } from '../net/bounded-parallel.ts';
import type { Log } from '../runner/log.ts';
import type { StoredManifest } from './manifest.ts';
import { isMoving, type TagStep, tagRank } from './publish-plan.ts';
import { formatReference, formatRepository } from './reference.ts';
import type { RegistryClient } from './registry-client.ts';

export interface WrittenTag extends TagStep {
  /** `superseded`: another publisher moved it on, just before or after this one wrote it. */
  readonly outcome: 'written' | 'unchanged' | 'skipped' | 'superseded';
}

/**
 * Which of two digests a moving tag is to name: the one of the step, or the other that it names by another publisher's
 * hand. `unordered` where nothing tells.
 */
export type JudgeOrder = (step: TagStep, other: string) => Promise<'ours' | 'theirs' | 'unordered'>;

export interface WriteTiming {
  /** Milliseconds that a registry may answer with what the tag named before. */
  readonly longestWait: number;
  readonly firstPause: number;
  /** Milliseconds after the last write until the moving tags are looked at once more. */
  readonly settle: number;
}

/**
 * GHCR answers old for a while after a write: mostly seconds, so that 90 of them mean that something else is wrong. A
 * second at the end is longer than another publisher needs from its last look at a tag to its write.
 */
export const DEFAULT_TIMING: WriteTiming = { longestWait: 90_000, firstPause: 200, settle: 1000 };
const LONGEST_PAUSE = 8000;
const PARALLEL = 8;
const MAX_ROUNDS = 5;

export interface WriteOptions {
  readonly client: RegistryClient;
  readonly steps: readonly TagStep[];
  readonly manifestOf: (digest: string) => StoredManifest;
  /** Undefined where tags may go back: then the last writer wins. */
  readonly judgeOrder?: JudgeOrder | undefined;
  readonly timing?: WriteTiming;
  readonly onTag: (tag: WrittenTag) => void;
  readonly log: Log;
}

/**
 * Writes the plan's tags, the most specific first and those of one rank at once, and reads each back until it names the
 * digest; then looks at the moving ones again, because registries know no conditional write (OCI distribution
 * specification 1.1 has no `If-Match`): of two publishers that write at the same time, the one with the later image
 * writes again.
 *
 * The manifests must be in their repositories already, so that no tag ever names half an image. Running it again writes
 * only what is left. A failure stops it: tags that come later, which move the farthest, stay where they were; what has
 * been done is handed to `onTag` in any case. Throws Error when a tag does not come to name its digest in time, and what
 * `RegistryClient` throws.
 */
export async function writeTags(options: WriteOptions): Promise<void> {
  const done = new Map<TagStep, WrittenTag>();
  const checked = new Set<string>();
  try {
    for (const rank of ranksOf(options.steps)) {
      await eachAtMost(PARALLEL, rank, async (step) => {
        done.set(step, await writeTag(step, options, checked));
      });
    }
    await settle(done, options);
  } finally {
    for (const step of options.steps) {
      const tag = done.get(step);
      if (tag !== undefined) options.onTag(tag);
    }
  }
}

function ranksOf(steps: readonly TagStep[]): readonly (readonly TagStep[])[] {
  return [...Map.groupBy(steps, ({ tag }) => tagRank(tag))]
    .sort(([one], [other]) => one - other)
    .map(([, group]) => group);
}

async function writeTag(step: TagStep, options: WriteOptions, checked: Set<string>): Promise<WrittenTag> {
  const { client, log } = options;
  const name = nameOf(step);
  if (step.action !== 'write') {
    if (step.action === 'skip') log.notice(`${name} was left as it is: it ${step.reason}`);
    else log.info(`${name} ${step.reason}`);
    return { ...step, outcome: step.action === 'skip' ? 'skipped' : 'unchanged' };
  }
  if (options.judgeOrder !== undefined && isMoving(step.tag)) {
    const named = await client.findDigest(step.repository, step.tag);
    if (named !== undefined && named !== step.current && named !== step.digest) {
      const verdict = await options.judgeOrder(step, named);
      if (verdict === 'theirs') return superseded(step, named, log);
    }
  }
  await client.putManifest(step.repository, step.tag, options.manifestOf(step.digest));
  const named = await readBack(step, options);
  if (named !== step.digest) return superseded(step, named, log);
  await checkContent(step, options, checked);
  log.info(`${name} names ${step.digest}`);
  return { ...step, outcome: 'written' };
}

function superseded(step: TagStep, named: string, log: Log): WrittenTag {
  log.warning(`${nameOf(step)} names ${named} now, not ${step.digest}: another run moved it at the same time`);
  return { ...step, outcome: 'superseded' };
}

/** Looks at moving tags until none of them was moved back behind this publisher's back. */
async function settle(done: Map<TagStep, WrittenTag>, options: WriteOptions): Promise<void> {
  const { judgeOrder, client, log, timing = DEFAULT_TIMING } = options;
  const moving = [...done].filter(([{ action, tag }]) => action === 'write' && isMoving(tag)).map(([step]) => step);
  if (judgeOrder === undefined || moving.length === 0) return;
  for (let round = 1, isSettled = false; !isSettled; round += 1) {
    await sleep(timing.settle);
    isSettled = true;
    await eachAtMost(PARALLEL, moving, async (step) => {
      const named = await client.findDigest(step.repository, step.tag);
      if (named === undefined || named === step.digest) {
        if (named === step.digest) done.set(step, { ...step, outcome: 'written' });
        return;
      }
      const verdict = await judgeOrder(step, named);
      if (verdict !== 'ours') {
        if (done.get(step)?.outcome !== 'superseded') done.set(step, superseded(step, named, log));
        return;
      }
      if (round > MAX_ROUNDS) throw new Error(`${nameOf(step)} is moved back again and again, now to ${named}`);
      log.info(`${nameOf(step)} was moved back to ${named} by another run at the same time, and is written again`);
      await client.putManifest(step.repository, step.tag, options.manifestOf(step.digest));
      await readBack({ ...step, current: named }, options);
      isSettled = false;
    });
  }
}

/** Reads the whole manifest by one of its tags, once for each repository: its bytes must be those of the digest. */
async function checkContent(step: TagStep, { client }: WriteOptions, checked: Set<string>): Promise<void> {
  const key = `${formatRepository(step.repository)}@${step.digest}`;
  if (checked.has(key)) return;
  checked.add(key);
  // By digest: a tag could answer with another publisher's by now. The client compares the bytes with the digest.
  const manifest = await client.findManifest(step.repository, step.digest);
  if (manifest === undefined) throw new Error(`${nameOf(step)} names ${step.digest}, which the registry does not have`);
}

/** How often in a row a digest that is neither the old nor the written one is believed: it can be a stale answer too. */
const FOREIGN_ANSWERS = 4;

/** The digest that a tag names once the registry no longer answers with what it named before. */
async function readBack(step: TagStep, { client, log, timing = DEFAULT_TIMING }: WriteOptions): Promise<string> {
  const name = nameOf(step);
  const end = Date.now() + timing.longestWait;
  let foreign = 0;
  for (let pause = timing.firstPause; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const named = await client.findDigest(step.repository, step.tag);
    if (named === step.digest) return named;
    foreign = named === undefined || named === step.current ? 0 : foreign + 1;
    if (named !== undefined && foreign >= FOREIGN_ANSWERS) return named;
    if (Date.now() + pause > end) {
      const seconds = Math.round(timing.longestWait / 1000);
      throw new Error(
        `${name} was written, but the registry says after ${seconds} s that it names ${named ?? 'nothing'}`,
      );
    }
    if (pause === timing.firstPause) log.info(`${name} still names ${named ?? 'nothing'}; the registry is given time`);
    await sleep(pause);
  }
}

function nameOf({ repository, tag }: TagStep): string {
  return formatReference({ ...repository, tag });
}
