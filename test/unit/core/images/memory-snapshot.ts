import { createHash } from 'node:crypto';
import { createBlobCache, createSnapshot, type Snapshot } from '../../../../src/core/images/snapshot.ts';

/** A commit of these files. */
export function snapshotOf(files: Readonly<Record<string, string>>): Snapshot {
  const blobs = new Map<string, string>();
  const entries = Object.entries(files)
    .map(([path, text]) => {
      const id = createHash('sha1').update(text).digest('hex');
      blobs.set(id, text);
      return { path, mode: '100644', id };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return createSnapshot(entries, async (ids) => new Map(ids.map((id) => [id, blobs.get(id) ?? ''])), createBlobCache());
}
