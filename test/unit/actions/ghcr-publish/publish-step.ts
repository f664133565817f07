import { tmpdir } from 'node:os';
import { contract } from '../../../../src/actions/ghcr-publish/contract.ts';
import { createRun } from '../../../../src/actions/ghcr-publish/run.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';
import type { Environment } from '../../../../src/core/runner/commands.ts';
import type { RunnerEvent } from '../../../../src/core/runner/event.ts';
import { readInputs } from '../../../../src/core/runner/inputs.ts';
import type { ActionContext } from '../../../../src/core/runner/run-action.ts';
import { jsonAnswer, listen, type Standin } from '../../../harness/standins/listening-server.ts';
import { keptLog } from '../../core/registry/kept-log.ts';
import { type MadeIndex, makeImage, makeIndex, makeLayer } from '../../core/registry/oci-layout.ts';

/** Nothing answers at the address of the API. */
export const EVENT: RunnerEvent = {
  name: 'push',
  ref: 'refs/heads/main',
  sha: 'c'.repeat(40),
  repository: 'Acme/App',
  actor: 'octocat',
  workflow: 'w',
  job: 'j',
  runId: '1',
  runAttempt: 1,
  serverUrl: 'https://github.com',
  apiUrl: 'http://127.0.0.1:9',
  graphqlUrl: '',
  payload: {},
};

/** An image for each platform, with its attestation, in one index. */
export async function build(
  platforms: readonly string[],
  content: string,
  labels: Record<string, string> = {},
): Promise<MadeIndex> {
  const images = [];
  for (const platform of platforms) {
    images.push(makeImage([await makeLayer([{ name: 'f', content: content + platform }])], platform, labels));
  }
  return makeIndex(images, { withAttestations: true });
}

/** Runs the action with these inputs, as for a push to `main` of Acme/App. */
export async function publish(
  inputs: Readonly<Record<string, string>>,
  options: {
    readonly environment?: Environment;
    readonly api?: string;
    readonly event?: Partial<RunnerEvent>;
    readonly temp?: string;
    /** Milliseconds until moving tags are looked at again. */
    readonly settle?: number;
  } = {},
) {
  const log = keptLog();
  const variables = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  // No login of the machine's own user may reach a test.
  const environment = { DOCKER_CONFIG: '/nonexistent', ...options.environment, ...Object.fromEntries(variables) };
  const saved = new Map<string, string>();
  const context: ActionContext = {
    event: { ...EVENT, apiUrl: options.api ?? EVENT.apiUrl, ...options.event },
    environment,
    workspace: '/',
    temp: options.temp ?? tmpdir(),
    log,
    runCommand,
    state: { save: (name, value) => saved.set(name, value), get: (name) => saved.get(name) },
  };
  // Waits shorter than for a registry over the Internet; all else is as in a job.
  const run = createRun({ longestWait: 5000, firstPause: 5, settle: options.settle ?? 20 });
  const result = await run(readInputs(contract, environment, log), context);
  return { outputs: result.outputs ?? {}, summary: result.summary ?? '', log, saved };
}

/** GitHub's API for commits that come one after the other, as in the list. */
export function startCommits(order: readonly string[]): Promise<Standin> {
  return listen(({ url }) => {
    const [, base = '', head = ''] = /compare\/([0-9a-f]+)\.\.\.([0-9a-f]+)/.exec(url.pathname) ?? [];
    const [from, to] = [order.indexOf(base), order.indexOf(head)];
    if (from < 0 || to < 0) return jsonAnswer({ message: 'Not Found' }, 404);
    return jsonAnswer({ status: from === to ? 'identical' : from < to ? 'ahead' : 'behind' });
  });
}
