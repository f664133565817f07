import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contract } from '../../src/actions/multistage-build/contract.ts';
import { post, run } from '../../src/actions/multistage-build/run.ts';
import { runCommand } from '../../src/core/runner/command.ts';
import { readEvent } from '../../src/core/runner/event.ts';
import { readInputs } from '../../src/core/runner/inputs.ts';
import { createLog } from '../../src/core/runner/log.ts';
import { ActionFailure } from '../../src/core/runner/run-action.ts';
import { serviceAddress } from './service-address.ts';

/** `host:port` of a registry that anybody may push to, and an image in it that has a shell. */
export const registry = serviceAddress('SLIPWAY_REGISTRY');
export const baseImage = serviceAddress('SLIPWAY_BASE_IMAGE');
/** Stands in instructions and scopes, so that no earlier build has them in its cache and they alone can be pruned. */
export const nonce = randomUUID();

export interface StepRequest {
  /** Folder for the step's workspace and private files. */
  readonly root: string;
  readonly workspace: string;
  /** RUNNER_TEMP; a new folder where a step does not need an earlier one's. */
  readonly temp?: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** Added to a runner's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface StepResult {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly summary: string;
  /** The message of a step that failed. */
  readonly failure: string | undefined;
  readonly log: string;
  /** What the step handed to its post step. */
  readonly state: ReadonlyMap<string, string>;
  readonly temp: string;
  /** Runs the post step. */
  readonly post: () => Promise<void>;
}

/** Runs the action's main step in this process, with the real engine. Inputs that are wrong are thrown. */
export async function buildStep(request: StepRequest): Promise<StepResult> {
  const { root, workspace, inputs, environment = {} } = request;
  const temp = request.temp ?? (await mkdtemp(join(root, 'temp-')));
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), { debug: false });
  const given = { network: 'none', ...inputs };
  const { ACTIONS_RESULTS_URL: _url, ACTIONS_RUNTIME_TOKEN: _token, ...own } = process.env;
  const all = {
    ...own,
    GITHUB_REPOSITORY: 'Acme/App',
    GITHUB_SHA: 'c'.repeat(40),
    GITHUB_REF: 'refs/heads/main',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_WORKSPACE: workspace,
    RUNNER_TEMP: temp,
    ...environment,
    ...Object.fromEntries(Object.entries(given).map(([name, text]) => [`INPUT_${name.toUpperCase()}`, text])),
  };
  const state = new Map<string, string>();
  const context = {
    event: readEvent(all),
    environment: all,
    workspace,
    temp,
    log,
    runCommand,
    state: {
      save: (name: string, value: string) => void state.set(name, value),
      get: (name: string) => state.get(name),
    },
  };
  const values = readInputs(contract, all, log);
  const result = await run(values, context).catch((error: unknown) => {
    if (error instanceof ActionFailure) return { ...error.result, failure: error.message };
    throw error;
  });
  return {
    outputs: { ...result.outputs },
    summary: result.summary ?? '',
    failure: 'failure' in result ? result.failure : undefined,
    log: lines.join('\n'),
    state,
    temp,
    post: () => post(values, context),
  };
}

/** A new workspace with these files. */
export async function makeWorkspace(root: string, files: Readonly<Record<string, string>>): Promise<string> {
  const workspace = await mkdtemp(join(root, 'workspace-'));
  await writeFiles(workspace, files);
  return workspace;
}

export async function writeFiles(workspace: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(workspace, path, '..'), { recursive: true });
    await writeFile(join(workspace, path), text);
  }
}

/** Takes everything that was built here out of the builder's cache. */
export async function forgetBuilds(): Promise<void> {
  await runCommand('docker', ['buildx', 'prune', '--all', '--force', '--filter', `description~=${nonce}`]);
}

/**
 * Takes layers out of the engine's store of contents, which keeps them long after the build cache has forgotten them:
 * only then does a build fetch them from a cache.
 */
export async function forgetLayers(layers: unknown): Promise<void> {
  // The base image's layers stay: every other test of this engine is made of them.
  const own = [...JSON.stringify(layers).matchAll(/\{[^{}]*\}/g)]
    .map(([layer]) => layer)
    .filter((layer) => layer.includes(nonce));
  const digests = own.flatMap((layer) => /sha256:[0-9a-f]{64}/.exec(layer) ?? []);
  const address = serviceAddress('SLIPWAY_CONTAINERD');
  const options = ['--address', address, '--namespace', 'moby', 'content', 'rm'];
  await runCommand(serviceAddress('SLIPWAY_CTR'), [...options, ...digests], { allowFailure: true });
}
