import type { S3Client } from '../aws/s3-client.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import {
  honoursConditions,
  overwriteManifest,
  readManifest,
  type StoredManifest,
  writeManifest,
} from './manifest-store.ts';
import { EMPTY_MANIFEST, type PendingDeploy, type ReleaseManifest, type WorkflowRun } from './release-manifest.ts';

/** The right to change a site, held by one deploy at a time. */
export interface Lease {
  /** Aborted when the right was lost: a later run asked this one to stop, or somebody else wrote the manifest. */
  readonly signal: AbortSignal;
  /** Writes the manifest and goes on holding the site. */
  write(manifest: ReleaseManifest): Promise<void>;
  /** Writes the manifest as the last word, and holds the site no longer. */
  end(manifest: ReleaseManifest): Promise<void>;
  /**
   * After a failure: lets the next deploy in at once. What was under way stays on record, so that it compares with the
   * listing. Where even that cannot be written, the lease ends by itself.
   */
  giveUp(): Promise<void>;
  /** Stops renewing and writes nothing: the manifest is about to be deleted. */
  forget(): Promise<void>;
}

/** A deploy that was killed blocks the next one for this long. */
const LEASE = 120_000;
/** So soon a deploy learns that it was asked to stop. */
const RENEWAL = 10_000;

const NOT_KEPT_APART =
  'this server does not honour conditional writes (If-Match): two deploys to it at once are not kept apart; give the job a `concurrency` group';

export interface LeaseOptions extends Pick<PendingDeploy, 'release' | 'run' | 'copies' | 'changed'> {
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
  bucket: S3Client,
  prefix: string,
  before: StoredManifest,
  options: LeaseOptions,
): Promise<Lease | undefined> {
  // Behind a hundred slow uploads, a renewal came after the lease had ended.
  const client = bucket.beside();
  const { log, duration = LEASE, ...deploy } = options;
  const pending = (): PendingDeploy => ({ ...deploy, until: Date.now() + duration, supersededBy: undefined });
  let current: ReleaseManifest = { ...(before.manifest ?? EMPTY_MANIFEST), pending: pending() };
  const first = await writeManifest(client, prefix, current, before.etag);
  if (first.kind === 'lost') return undefined;
  let etag = first.kind === 'written' ? first.etag : await overwriteManifest(client, prefix, current);
  let isConditional = first.kind === 'written' && current.hasConditionalWrites;
  const isKnown = first.kind !== 'written' || isConditional;
  if (first.kind !== 'written') log.warning(NOT_KEPT_APART);

  const lost = new AbortController();
  const store = async (manifest: ReleaseManifest): Promise<void> => {
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
      log.warning(NOT_KEPT_APART);
      await store(manifest);
    } else {
      const now = await readManifest(client, prefix, log);
      if (now.manifest?.pending?.release === options.release) etag = now.etag ?? etag;
      lost.abort(whyLost(now.manifest?.pending, options.release));
    }
  };
  let writing: Promise<void> = Promise.resolve();
  const inTurn = (task: () => Promise<void>): Promise<void> => {
    const next = writing.then(task);
    // The chain only orders the writes; each caller gets its own failure.
    writing = next.catch(() => undefined);
    return next;
  };
  if (!isKnown) {
    // Beside the first files, since only a warning hangs on it.
    inTurn(async () => {
      isConditional = await honoursConditions(client, prefix, current);
      if (!isConditional) log.warning(NOT_KEPT_APART);
    }).catch((error: unknown) => lost.abort(error));
  }
  const write = (manifest: ReleaseManifest): Promise<void> =>
    inTurn(async () => {
      lost.signal.throwIfAborted();
      await store(manifest);
      lost.signal.throwIfAborted();
    });
  const renewal = setInterval(
    () => {
      write({ ...current, pending: pending() }).catch((error: unknown) => {
        if (!lost.signal.aborted) log.debug(`the lease could not be renewed: ${String(error)}`);
      });
    },
    Math.min(RENEWAL, duration / 3),
  );
  renewal.unref();

  return {
    signal: lost.signal,
    write: (manifest) => write({ ...manifest, pending: pending() }),
    end: (manifest) => {
      clearInterval(renewal);
      return write({ ...manifest, pending: undefined });
    },
    giveUp: () => {
      clearInterval(renewal);
      return inTurn(async () => {
        try {
          await store({ ...current, pending: { ...pending(), until: 0 } });
        } catch (error) {
          log.debug(`the lease could not be given up, and ends by itself: ${String(error)}`);
        }
      });
    },
    forget: () => {
      clearInterval(renewal);
      return writing;
    },
  };
}

/**
 * Asks the deploy that holds the site to stop: it gives the site up at its next renewal. The manifest may have been
 * written by somebody else meanwhile; then nothing is asked, and the caller looks again.
 */
export async function askToStop(
  client: S3Client,
  prefix: string,
  stored: StoredManifest,
  by: { readonly release: string; readonly run: WorkflowRun },
): Promise<void> {
  const { manifest, etag } = stored;
  if (manifest?.pending === undefined || etag === undefined) return;
  const asked = { ...manifest, pending: { ...manifest.pending, supersededBy: by } };
  const outcome = await writeManifest(client, prefix, asked, etag);
  if (outcome.kind === 'unsupported') {
    throw new ConfigurationError(
      'input "if-busy": this server does not honour conditional writes, without which no deploy can be superseded; write "wait", and give the job a `concurrency` group with cancel-in-progress',
    );
  }
}

function whyLost(pending: PendingDeploy | undefined, own: string): Error {
  if (pending?.release === own && pending.supersededBy !== undefined) {
    return new ConfigurationError(
      `superseded: run ${pending.supersededBy.run.id} deploys the later release ${pending.supersededBy.release}; this deploy stopped, and each page is whole`,
      { title: 'Superseded' },
    );
  }
  return new Error('another deploy took the site over while this one was running; this one stopped');
}
