import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { formatBytes } from '../../core/report/markdown.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { RunnerEvent } from '../../core/runner/event.ts';
import type { ActionContext, ActionResult, Run } from '../../core/runner/run-action.ts';
import type { DeployPlan } from '../../core/site/deploy-plan.ts';
import { deploySite } from '../../core/site/deploy-site.ts';
import { compileSelection } from '../../core/site/path-globs.ts';
import type { Release, WorkflowRun } from '../../core/site/release-manifest.ts';
import { removeSite } from '../../core/site/remove-site.ts';
import { type ReleasePlace, restoreRelease } from '../../core/site/restore-release.ts';
import type { SiteFile } from '../../core/site/site-file.ts';
import type { contract } from './contract.ts';
import { type Invalidator, prepareInvalidation } from './invalidate.ts';
import { outputsOf } from './outputs.ts';
import { checkSource } from './site-files.ts';
import type { Source } from './source.ts';
import { deploySummary, removalSummary } from './summary.ts';
import { checkAccount, chooseTarget, type Target } from './target.ts';

type Inputs = InputsOf<typeof contract>;

export const run: Run<typeof contract> = async (inputs, context) => {
  const target = chooseTarget(inputs, context);
  if (target.preview?.isOver === true) return removePreview(inputs, target, context);
  const prepare = await prepareSite(originOf(inputs), inputs, target, context);
  await checkAccount(inputs, target, context);
  const invalidator = await prepareInvalidation(inputs, target, context);
  return deploy(await prepare(), { inputs, target, invalidator }, context);
};

interface Site {
  readonly read: () => Promise<readonly SiteFile[]>;
  readonly release: Release;
}

async function deploy(
  { read, release }: Site,
  { inputs, target, invalidator }: { inputs: Inputs; target: Target; invalidator: Invalidator | undefined },
  { event, log }: ActionContext,
): Promise<ActionResult<typeof contract>> {
  const { client, prefix, url } = target;
  let invalidationId: string | undefined;
  let weightBefore: number | undefined;
  const deployed = await deploySite({
    client,
    prefix,
    files: read,
    settings: {
      release,
      keepReleases: inputs.keepReleases,
      deletesOld: inputs.delete,
      takesPart: compileSelection(inputs.exclude, inputs.include),
    },
    run: runOf(event),
    isDryRun: inputs.dryRun,
    ifBusy: inputs.ifBusy,
    log,
    onPlan: (plan, before) => {
      weightBefore = before;
      sayPlan(plan, log);
    },
    onLive:
      invalidator &&
      (async (changed) => {
        invalidationId = await invalidator.invalidate(changed);
      }),
  });
  const { bucket } = target.location;
  return {
    outputs: { ...outputsOf(deployed, { bucket, prefix }), url, invalidationId },
    summary: deploySummary(deployed, { bucket, url, isDryRun: inputs.dryRun, weightBefore }),
  };
}

async function removePreview(
  inputs: Inputs,
  target: Target,
  context: ActionContext,
): Promise<ActionResult<typeof contract>> {
  const { event, log } = context;
  const { client, prefix } = target;
  await checkAccount(inputs, target, context);
  const invalidator = await prepareInvalidation(inputs, target, context);
  const release = nameRelease(event, new Date()).id;
  const { ifBusy, dryRun: isDryRun } = inputs;
  const deleted = await removeSite({ client, prefix, release, run: runOf(event), ifBusy, isDryRun, log });
  log.info(deleted === 0 ? `there is no preview at ${prefix}` : `removed the preview at ${prefix}: ${deleted} objects`);
  const isGone = deleted > 0 && !isDryRun;
  const invalidationId = isGone ? await invalidator?.invalidate('all') : undefined;
  return {
    outputs: { uploaded: 0, unchanged: 0, deleted: isDryRun ? 0 : deleted, bytes: 0, invalidationId },
    summary: removalSummary({ bucket: target.location.bucket, prefix, count: deleted, isDryRun }),
  };
}

type Origin =
  | { readonly kind: 'source'; readonly source: Source }
  | { readonly kind: 'release'; readonly place: Partial<ReleasePlace> & Pick<ReleasePlace, 'release'> };

/** What is deployed. Throws ConfigurationError unless the inputs say one thing. */
function originOf({ source, rollbackTo, promote }: Inputs): Origin {
  const given = [source, rollbackTo, promote].filter((input) => input !== undefined);
  if (given.length > 1) {
    throw new ConfigurationError('inputs "source", "rollback-to" and "promote": give one of them, what to deploy');
  }
  if (rollbackTo !== undefined) return { kind: 'release', place: { release: rollbackTo } };
  if (promote !== undefined) return { kind: 'release', place: promote };
  if (source !== undefined) return { kind: 'source', source };
  throw new ConfigurationError('input "source" is required: the folder to deploy, or image: REFERENCE:/path');
}

/** Checks what can be checked without a request; what is returned goes on from there. */
async function prepareSite(
  origin: Origin,
  inputs: Inputs,
  target: Target,
  context: ActionContext,
): Promise<() => Promise<Site>> {
  if (origin.kind === 'release') return () => restore(origin.place, target, context);
  const { read } = await checkSource(origin.source, inputs, target.prefix, context);
  return async () => ({ read, release: nameRelease(context.event, new Date()) });
}

async function restore(
  place: Extract<Origin, { kind: 'release' }>['place'],
  { client, prefix }: Target,
  { temp, log }: ActionContext,
): Promise<Site> {
  const folder = join(temp, `release-${process.pid}`);
  const from = { prefix: place.prefix ?? prefix, release: place.release };
  const { record, files } = await restoreRelease(client, from, { prefix, folder, log });
  log.info(`release ${record.release.id} of commit ${record.release.commit}, with ${files.length} files`);
  return { read: async () => files, release: record.release };
}

/** `20261120T101500Z-1a2b3c4-9f3e`: sorts by time, names its commit, and is another one for another deploy of it. */
function nameRelease(event: RunnerEvent, now: Date): Release {
  const time = now.toISOString();
  const stamp = time.replace(/[-:]|\.\d{3}/g, '');
  return {
    id: `${stamp}-${event.sha.slice(0, 7) || 'local'}-${randomBytes(2).toString('hex')}`,
    commit: event.sha,
    time,
  };
}

function runOf({ runId, runAttempt }: RunnerEvent): WorkflowRun {
  return { id: /^\d{1,15}$/.test(runId) ? Number(runId) : 0, attempt: runAttempt };
}

function sayPlan(plan: DeployPlan, log: ActionContext['log']): void {
  const writes = plan.groups.flat();
  const copies = writes.filter(({ kind }) => kind === 'copy').length;
  log.info(
    `${writes.length - copies} files to put (${formatBytes(plan.bytes)} to send), ${copies} to give new headers, ${plan.unchanged.length} unchanged, ${plan.deletes.length} to delete, ${plan.retained.length} kept from past releases`,
  );
  for (const { kind, path } of writes) log.debug(`${kind} ${path}`);
  for (const path of plan.deletes) log.debug(`delete ${path}`);
  for (const warning of plan.warnings) log.warning(warning);
}
