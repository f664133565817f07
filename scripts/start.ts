// `npm start`: a whole release on this machine. Starts a real Docker Engine, a registry and an S3 server from packages,
// runs a release workflow as GitHub would, makes a change of one line and runs it again, and leaves nothing running.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runWorkflow } from '../test/harness/workflow/run-workflow.ts';
import type { WorkflowResult } from '../test/harness/workflow/workflow-result.ts';
import { startWorld, type World } from '../test/harness/world.ts';
import { formatClosingSummary } from './start/closing-summary.ts';
import { type ReportedRun, renderReport } from './start/html-report.ts';
import { createNarrator, tellProgress } from './start/narrator.ts';
import { readOptions, type StartOptions, USAGE } from './start/options.ts';
import { makeWorkspace, type Workspace } from './start/workspace.ts';

const root = path.join(import.meta.dirname, '..');
/** In mixed case, as many are: image names must be lower-cased. */
const REPOSITORY = 'Acme/Safety-Detector';
const NEW_BRANCH = '0'.repeat(40);

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: StartOptions;
  try {
    options = readOptions(args, root);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 1;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const say = createNarrator(console.log);
  const state = mkdtempSync(path.join(tmpdir(), 'slipway-start-'));
  try {
    const workspace = makeWorkspace(options.workspace, path.join(state, 'repository'));
    await using world = await startWorld({ folder: path.join(state, 'services'), repository: REPOSITORY, log: say });
    const runs = await runReleases(options, workspace, world, say);
    mkdirSync(options.output, { recursive: true });
    const report = path.join(options.output, 'report.html');
    writeFileSync(report, renderReport(runs));
    console.log(`\n${runs.map(({ title, result }) => formatClosingSummary(title, result)).join('\n')}`);
    console.log(`Job summaries and logs: ${pathToFileURL(report).href}`);
    if (options.keep) await waitForInterrupt(world, say);
    else say('stopping the services');
    return runs.every(({ result }) => result.conclusion === 'success') ? 0 : 1;
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

/** The release of the first commit and, of the example, of a commit that changes one line. */
async function runReleases(
  options: StartOptions,
  workspace: Workspace,
  world: World,
  say: (line: string) => void,
): Promise<readonly ReportedRun[]> {
  const first = { title: 'The first release', result: await release(options, workspace, world, say, NEW_BRANCH, 1) };
  if (!options.isExample || first.result.conclusion !== 'success') return [first];
  const file = 'frontend/src/style.css';
  const before = workspace.addLine(file, 'h1 { letter-spacing: .02em; }');
  say(`changed one line of ${file}`);
  const second = await release(options, workspace, world, say, before, 2);
  return [first, { title: `After a change of one line in ${file}`, result: second }];
}

async function release(
  { workflow }: StartOptions,
  workspace: Workspace,
  world: World,
  say: (line: string) => void,
  before: string,
  runId: number,
): Promise<WorkflowResult> {
  const sha = workspace.head();
  say(`push to main (${sha.slice(0, 7)}): running ${workflow}`);
  const run = { ref: 'refs/heads/main', runId };
  const result = await runWorkflow({
    repository: workspace.folder,
    file: workflow,
    event: {
      name: 'push',
      ...run,
      sha,
      repository: REPOSITORY,
      actor: 'octocat',
      apiUrl: world.api.url,
      token: 'ghs_local',
      payload: {
        ref: run.ref,
        before,
        after: sha,
        repository: { full_name: REPOSITORY, default_branch: 'main', private: false },
      },
    },
    vars: world.vars,
    repositories: { 'slipway-actions/slipway': root },
    runnerEnvironment: (job) => world.environmentOf(job, run),
    onProgress: tellProgress(say),
  });
  if (!result.isTriggered) throw new Error(`${workflow} does not run for a push to main: ${result.reason}`);
  return result;
}

async function waitForInterrupt(world: World, say: (line: string) => void): Promise<void> {
  say(`registry: http://${world.registry.host}/v2/_catalog`);
  say(`Docker:   DOCKER_HOST=${world.engine.host} docker images`);
  say('the services run until Ctrl-C');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
