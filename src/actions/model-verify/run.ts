import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { inspectModels } from '../../core/models/inspect-models.ts';
import { judgeModels } from '../../core/models/judge-models.ts';
import type { Expectation } from '../../core/models/manifest/expected-file.ts';
import { formatSarif } from '../../core/models/sarif.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { type ActionContext, ActionFailure, type Run } from '../../core/runner/run-action.ts';
import type { contract } from './contract.ts';
import { choosePaths, expectSingle } from './expectations.ts';
import { planJobs } from './inspection-jobs.ts';
import { checkBelow, manifestTarget } from './manifest-target.ts';
import { createProgress } from './progress.ts';
import { reportFindings } from './report.ts';
import { readRequirements } from './requirements.ts';
import { toOutputs } from './result-outputs.ts';
import { judgeSignature } from './signature-findings.ts';
import { openSignedFolder } from './signed-folder.ts';
import { summarize } from './summary.ts';
import { expectFiles, findTrackedFolders, judgeTrackedFolders } from './tracked-folders.ts';

/** `workerEntry` is the module that reading threads are started with; without one all files are read in this thread. */
export const createRun =
  (workerEntry: string | URL | undefined): Run<typeof contract> =>
  async (inputs, context) => {
    const { workspace, temp, log } = context;
    const requirements = readRequirements(inputs);
    const target = manifestTarget(workspace, inputs.writeManifest);
    const listed = await readListed(inputs, workspace);

    const { root, isCached } = await makeReady(inputs, listed, context);
    const folders = findTrackedFolders(listed, root);
    const listedFiles = expectFiles(listed, folders);
    const paths = choosePaths(inputs, root, listedFiles, folders);
    if (target !== undefined) checkBelow(target, paths);
    const expectations = [...listedFiles, ...expectSingle(inputs.sha256, paths)];
    const signed = await openSignedFolder(inputs, workspace, root, paths);

    const { scanTimeout, allowGlobals: allowedGlobals } = inputs;
    const options = { root, temp, scans: inputs.scan !== 'off', scanTimeout, allowedGlobals };
    const jobs = planJobs(paths, expectations, signed, options);
    const threads = inputs.concurrency === 0 ? availableParallelism() : inputs.concurrency;
    const inspected = await inspectModels(jobs, { threads, workerEntry }, createProgress(jobs, log));

    const models = inspected.slice(0, paths.length);
    const isSigned = inputs.require.includes('signature');
    const judgedModels = judgeSignature(judgeModels(models, expectations, requirements), inspected, signed, isSigned);
    const judged = [...judgedModels, ...judgeTrackedFolders(folders, inspected)];
    const failures = reportFindings(judged, inputs.scan, log);
    const report = join(temp, `model-verify-${process.pid}.sarif`);
    writeFileSync(report, formatSarif(judged));
    const outputs = { ...toOutputs(judged, failures), report, cacheHit: isCached };
    const result = { outputs, summary: summarize(judged, signed?.signature) };
    if (failures > 0) throw new ActionFailure(`${failures} of ${judged.length} models failed verification`, result);
    if (target !== undefined) {
      const { writeManifest } = await import('./write-manifest.ts');
      writeManifest(target, judged);
    }
    log.info(
      judged.length === 0
        ? 'there is no model to verify'
        : `verified ${judged.length} ${judged.length === 1 ? 'model' : 'models'}`,
    );
    return result;
  };

/** What the manifests say; the parser of YAML is loaded where there is one. */
async function readListed(inputs: InputsOf<typeof contract>, workspace: string): Promise<readonly Expectation[]> {
  if (inputs.manifest.length === 0) return [];
  const { readManifests } = await import('./read-manifests.ts');
  return readManifests(inputs, workspace);
}

/** Where the models stand: in the workspace, with what was missing fetched, or in a folder taken out of an image. */
async function makeReady(
  inputs: InputsOf<typeof contract>,
  listed: readonly Expectation[],
  context: ActionContext,
): Promise<{ readonly root: string; readonly isCached: boolean | undefined }> {
  // The clients of registries and servers are loaded where they are needed: most runs need none.
  if (inputs.image !== undefined) {
    const { takeOutFolder } = await import('./image-folder.ts');
    return { root: await takeOutFolder(inputs.image, inputs, context), isCached: undefined };
  }
  if (!listed.some(({ url }) => url !== undefined)) return { root: context.workspace, isCached: undefined };
  const { fetchModels } = await import('./fetch.ts');
  return { root: context.workspace, isCached: await fetchModels(inputs, listed, context) };
}
