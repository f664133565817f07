import { randomBytes } from 'node:crypto';
import { createAdaptiveConcurrency } from '../../core/aws/adaptive-concurrency.ts';
import { chooseCredentials } from '../../core/aws/credential-chain.ts';
import { createS3Client } from '../../core/aws/s3-client.ts';
import { locateBucket, objectUrl } from '../../core/aws/s3-location.ts';
import { stsEndpoint } from '../../core/aws/web-identity.ts';
import { formatBytes } from '../../core/report/markdown.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { RunnerEvent } from '../../core/runner/event.ts';
import type { ActionContext, Run } from '../../core/runner/run-action.ts';
import type { DeployPlan } from '../../core/site/deploy-plan.ts';
import { type Deployed, deploySite } from '../../core/site/deploy-site.ts';
import { hashFiles } from '../../core/site/file-digests.ts';
import { applyHeaderRules } from '../../core/site/header-rules.ts';
import { compileGlobs, compileSelection } from '../../core/site/path-globs.ts';
import { manifestKey, type Release } from '../../core/site/release-manifest.ts';
import type { SiteFile } from '../../core/site/site-file.ts';
import { checkSource } from '../../core/site/source-checks.ts';
import { readSourceFolder } from '../../core/site/source-folder.ts';
import type { contract } from './contract.ts';
import { checkInvalidation, invalidate } from './invalidate.ts';
import { sourceFolder } from './source.ts';
import { deploySummary, totalBytes } from './summary.ts';

type Inputs = InputsOf<typeof contract>;

export const run: Run<typeof contract> = async (inputs, context) => {
  const { environment, event, log } = context;
  const prefix = inputs.prefix ?? '';
  const invalidation = { distributionId: inputs.distributionId, wanted: inputs.invalidate };
  checkInvalidation(invalidation);
  const location = locateBucket({ ...inputs, pathStyle: inputs.forcePathStyle }, environment);
  const files = await readSite(inputs, context);
  const credentials = chooseCredentials(
    { role: roleOf(inputs, location.region, environment), audience: inputs.audience },
    environment,
    log,
  );
  const most = inputs.concurrency ?? 64;
  const client = createS3Client({
    location,
    credentials,
    concurrency: createAdaptiveConcurrency({ initial: Math.min(32, most), max: most }),
    log,
  });

  let invalidationId: string | undefined;
  let weightBefore: number | undefined;
  const deployed = await deploySite({
    client,
    prefix,
    files,
    settings: {
      release: nameRelease(event, new Date()),
      keepReleases: inputs.keepReleases,
      deletesOld: inputs.delete,
      takesPart: compileSelection(inputs.exclude, inputs.include),
      isEntryDocument: compileGlobs(inputs.entryDocuments),
    },
    isDryRun: inputs.dryRun,
    ifBusy: inputs.ifBusy,
    log,
    onPlan: (plan, before) => {
      weightBefore = before;
      sayPlan(plan, log);
    },
    onLive: async (plan) => {
      const site = { prefix, region: location.region, credentials };
      invalidationId = await invalidate(plan, invalidation, site, environment, log);
    },
  });

  const url = inputs.url ?? objectUrl(location, `${prefix}index.html`);
  const { bucket } = location;
  return {
    outputs: { ...outputsOf(deployed), url, invalidationId, manifest: recordOf(deployed, bucket, prefix) },
    summary: deploySummary(deployed, { bucket, url, isDryRun: inputs.dryRun, files, weightBefore }),
  };
};

/** The files of the source, checked, hashed, and with the headers they shall have. Sends no request to the bucket. */
async function readSite(inputs: Inputs, context: ActionContext): Promise<readonly SiteFile[]> {
  const limits = { maxFiles: inputs.maxFiles, maxBytes: inputs.maxBytes };
  const access = {
    platform: inputs.platform,
    username: inputs.registryUsername,
    password: inputs.registryPassword,
    limits: { files: inputs.maxFiles, bytes: inputs.maxBytes },
  };
  const folder = await sourceFolder(inputs.source, access, context);
  const files = await readSourceFolder(folder, compileSelection(inputs.exclude, inputs.include), limits);
  const problems = checkSource(files, inputs.prefix ?? '', compileGlobs(inputs.forbid));
  if (problems.length > 0) {
    const shown = problems.slice(0, 20);
    const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : [];
    throw new ConfigurationError(`input "source": ${[...shown, ...more].join('\n')}`);
  }
  return applyHeaderRules(await hashFiles(files), {
    cache: inputs.cacheControl ?? [],
    headers: inputs.headers ?? [],
    isEntryDocument: compileGlobs(inputs.entryDocuments),
  });
}

function roleOf(inputs: Inputs, region: string, environment: ActionContext['environment']) {
  if (inputs.roleToAssume === undefined) return undefined;
  return {
    roleArn: inputs.roleToAssume,
    sessionName: inputs.roleSessionName,
    durationSeconds: inputs.roleDurationSeconds,
    endpoint: stsEndpoint(region, inputs.stsEndpoint, environment),
    region,
  };
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

function sayPlan(plan: DeployPlan, log: ActionContext['log']): void {
  const writes = plan.groups.flat();
  const copies = writes.filter(({ kind }) => kind === 'copy').length;
  log.info(
    `${writes.length - copies} files to send (${formatBytes(plan.bytes)}), ${copies} to give new headers, ${plan.unchanged.length} unchanged, ${plan.deletes.length} to delete, ${plan.retained.length} kept from past releases`,
  );
  for (const { kind, path } of writes) log.debug(`${kind} ${path}`);
  for (const path of plan.deletes) log.debug(`delete ${path}`);
  for (const warning of plan.warnings) log.warning(warning);
}

/** GitHub takes 1 MB of outputs of a job: lists are cut, counts are whole. */
const MAX_LISTED = 1000;

function outputsOf({ plan, deleted }: Deployed) {
  const writes = plan.groups.flat();
  const pathsOf = (kind: 'upload' | 'copy') => writes.filter((write) => write.kind === kind).map(({ path }) => path);
  const lists = { upload: pathsOf('upload'), copy: pathsOf('copy'), delete: plan.deletes };
  return {
    uploaded: writes.length,
    unchanged: plan.unchanged.length,
    deleted: deleted.length,
    bytes: plan.bytes,
    release: plan.release.id,
    plan: {
      release: plan.release.id,
      counts: {
        upload: lists.upload.length,
        copy: lists.copy.length,
        delete: lists.delete.length,
        unchanged: plan.unchanged.length,
      },
      upload: lists.upload.slice(0, MAX_LISTED),
      copy: lists.copy.slice(0, MAX_LISTED),
      delete: lists.delete.slice(0, MAX_LISTED),
    },
  };
}

function recordOf({ manifest }: Deployed, bucket: string, prefix: string): object {
  return {
    bucket,
    key: manifestKey(prefix),
    releases: manifest.releases,
    bytes: totalBytes(manifest.objects.values()),
  };
}
