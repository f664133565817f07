import { readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { StoredContent } from './archive/zip-model.ts';
import type { FileSource } from './byte-source.ts';
import { createDigest, type DigestPlan, type Digests } from './digest-plan.ts';
import type { ModelFinding } from './model-finding.ts';

/** One small buffer for all reads stays in the processor's cache: 256 KiB was a tenth faster than 4 MiB. */
const CHUNK = 256 * 1024;
const CHUNKS_PER_TURN = 128;
/** A file of more shards would be a list that nobody signs. */
const MAX_SHARDS = 1_000_000;

interface Watcher {
  /** Takes the bytes at a position of the file. */
  readonly take: (chunk: Buffer, position: number) => void;
}

export interface ReadOnce {
  readonly digests: Digests;
  readonly findings: readonly ModelFinding[];
}

/**
 * Reads a file from its first byte to its last, once, for all that needs every byte: the digests, those of shards, and
 * the checksums of what a zip stores. Throws an Error where the file becomes shorter meanwhile.
 */
export async function readOnce(
  source: FileSource,
  plan: DigestPlan,
  stored: readonly StoredContent[],
  onProgress: (bytes: number) => void,
): Promise<ReadOnce> {
  const hashes = plan.algorithms.map((algorithm) => ({ algorithm, hash: createDigest(algorithm) }));
  const whole: Watcher = { take: (chunk) => hashes.forEach(({ hash }) => void hash.update(chunk)) };
  const shards = watchShards(plan.shards, source.size);
  const checksums = watchChecksums(stored);
  const watchers = [whole, ...(plan.shards === undefined ? [] : [shards]), ...(stored.length === 0 ? [] : [checksums])];
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, Math.max(1, source.size)));
  let position = 0;
  for (let turn = 1; position < source.size; turn += 1) {
    const count = readSync(source.descriptor, buffer, 0, Math.min(buffer.length, source.size - position), position);
    if (count === 0) throw new Error(`the file became shorter while it was read (${position} of ${source.size} bytes)`);
    for (const watcher of watchers) watcher.take(buffer.subarray(0, count), position);
    position += count;
    onProgress(count);
    // A file of 10 GB takes seconds: timers and signals get their turn in between.
    if (turn % CHUNKS_PER_TURN === 0) await setImmediate();
  }
  return {
    digests: {
      whole: new Map(hashes.map(({ algorithm, hash }) => [algorithm, hash.digest('hex')])),
      shards: shards.digests,
    },
    findings: checksums.findings(),
  };
}

function watchShards(plan: DigestPlan['shards'], size: number) {
  const digests: { start: number; end: number; digest: string }[] = [];
  const length = plan?.size ?? Number.POSITIVE_INFINITY;
  if (size / length > MAX_SHARDS) throw new Error(`shards of ${length} bytes are more than ${MAX_SHARDS}`);
  let hash = createDigest(plan?.algorithm ?? 'sha256');
  let start = 0;
  const take = (chunk: Buffer, position: number): void => {
    for (let from = 0; from < chunk.length; ) {
      const end = Math.min(start + length, size);
      const part = chunk.subarray(from, from + Math.min(chunk.length - from, end - position - from));
      hash.update(part);
      from += part.length;
      if (position + from < end) continue;
      digests.push({ start, end, digest: hash.digest('hex') });
      hash = createDigest(plan?.algorithm ?? 'sha256');
      start = end;
    }
  };
  return { take, digests };
}

function watchChecksums(stored: readonly StoredContent[]) {
  const contents = stored.map((content) => ({ ...content, actual: 0 })).sort((a, b) => a.start - b.start);
  let first = 0;
  return {
    take(chunk: Buffer, position: number): void {
      const end = position + chunk.length;
      for (let index = first; index < contents.length; index += 1) {
        const content = contents[index];
        if (content === undefined || content.start >= end) return;
        const from = Math.max(content.start, position);
        const to = Math.min(content.start + content.size, end);
        if (from < to) content.actual = crc32(chunk.subarray(from - position, to - position), content.actual);
        // Contents lie one behind the other; where they overlap the layout is a finding already.
        else if (index === first) first += 1;
      }
    },
    findings(): readonly ModelFinding[] {
      return contents
        .filter(({ actual, crc }) => actual !== crc)
        .slice(0, 100)
        .map(({ entry, start }) => ({
          severity: 'suspicious',
          rule: 'zip',
          message: 'the entry cannot be read: its checksum is wrong',
          entry,
          offset: start,
        }));
    },
  };
}
