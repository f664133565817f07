import type { S3Client } from '../aws/s3-client.ts';
import type { Log } from '../runner/log.ts';
import { honoursConditions, overwriteManifest, type StoredManifest, writeManifest } from './manifest-store.ts';
import { EMPTY_MANIFEST, type ReleaseManifest } from './release-manifest.ts';

/** The right to change a site, held by one deploy at a time. */
export interface Lease {
  /** Aborted when the right was lost: somebody else wrote the manifest. */
  readonly signal: AbortSignal;
  /** Writes the manifest and goes on holding the site. */
  write(manifest: ReleaseManifest): Promise<void>;
  /** Stops holding the site; writes `manifest` as its last word, or leaves the lease to end by itself. */
  end(manifest: ReleaseManifest | undefined): Promise<void>;
}

/** A deploy that was cut off blocks the next one for this long. Renewed at a third of it. */
export const LEASE = 120_000;

const NOT_KEPT_APART =
  'this server does not honour conditional writes (If-Match): two deploys to it at once are not kept apart; give the job a `concurrency` group';

export interface LeaseOptions {
  readonly release: string;
  /** Paths of the objects that get new headers. */
  readonly copies: readonly string[];
  readonly log: Log;
  /** Milliseconds; `LEASE` unless a test is in a hurry. */
  readonly duration?: number;
}

/**
 * Takes the lease of a site by a conditional write of its manifest; undefined when somebody else wrote it since it was
 * read, so that everything has to be read and planned anew.
 *
 * On a server without conditional writes the lease is written all the same, but two deploys at once can both get it: a
 * warning says so. The order of the writes still keeps each page whole.
 */
export async function takeLease(
  client: S3Client,
  prefix: string,
  before: StoredManifest,
  options: LeaseOptions,
): Promise<Lease | undefined> {
  const duration = options.duration ?? LEASE;
  const pending = () => ({ release: options.release, until: Date.now() + duration, copies: options.copies });
  let current: ReleaseManifest = { ...(before.manifest ?? EMPTY_MANIFEST), pending: pending() };
  const first = await writeManifest(client, prefix, current, before.etag);
  if (first.kind === 'lost') return undefined;
  let etag = first.kind === 'written' ? first.etag : await overwriteManifest(client, prefix, current);
  let isConditional = first.kind === 'written' && current.hasConditionalWrites;
  if (first.kind === 'written' && !isConditional) isConditional = await honoursConditions(client, prefix, current);
  if (!isConditional) options.log.warning(NOT_KEPT_APART);

  const lost = new AbortController();
  let writing: Promise<void> = Promise.resolve();
  const write = (manifest: ReleaseManifest): Promise<void> => {
    const next = writing.then(async () => {
      lost.signal.throwIfAborted();
      current = { ...manifest, hasConditionalWrites: isConditional };
      if (!isConditional) {
        etag = await overwriteManifest(client, prefix, current);
        return;
      }
      const outcome = await writeManifest(client, prefix, current, etag);
      if (outcome.kind === 'written') etag = outcome.etag;
      else if (outcome.kind === 'unsupported') {
        // Ceph's gateway 16 honours If-None-Match and refuses every If-Match.
        isConditional = false;
        options.log.warning(NOT_KEPT_APART);
        current = { ...manifest, hasConditionalWrites: false };
        etag = await overwriteManifest(client, prefix, current);
      } else lost.abort(new Error('another deploy took the site over while this one was running; this one stopped'));
      lost.signal.throwIfAborted();
    });
    // The chain only orders the writes; each caller gets its own failure.
    writing = next.catch(() => undefined);
    return next;
  };
  const renewal = setInterval(() => {
    write({ ...current, pending: pending() }).catch((error: unknown) => {
      if (!lost.signal.aborted) options.log.debug(`the lease could not be renewed: ${String(error)}`);
    });
  }, duration / 3);
  renewal.unref();

  return {
    signal: lost.signal,
    write: (manifest) => write({ ...manifest, pending: pending() }),
    async end(manifest) {
      clearInterval(renewal);
      await (manifest === undefined ? writing : write({ ...manifest, pending: undefined }));
    },
  };
}
