import { type BuildInputs, contract } from '../../../../src/actions/multistage-build/contract.ts';
import type { BuildFacts } from '../../../../src/actions/multistage-build/plan.ts';
import type { RunnerEvent } from '../../../../src/core/runner/event.ts';
import { readInputs } from '../../../../src/core/runner/inputs.ts';
import { createLog } from '../../../../src/core/runner/log.ts';

const silent = createLog(() => undefined, { debug: false });

/** Inputs as the runner gives them: read by the contract from their texts. */
export function buildInputs(texts: Readonly<Record<string, string>>): BuildInputs {
  const variables = Object.entries(texts).map(([name, text]) => [`INPUT_${name.toUpperCase()}`, text]);
  return readInputs(contract, Object.fromEntries(variables), silent);
}

export const pushEvent: RunnerEvent = {
  name: 'push',
  ref: 'refs/heads/main',
  sha: 'c'.repeat(40),
  repository: 'Acme/App',
  actor: 'me',
  workflow: 'w',
  job: 'j',
  runId: '7',
  runAttempt: 2,
  serverUrl: 'https://github.com',
  apiUrl: 'https://api.github.com',
  graphqlUrl: 'https://api.github.com/graphql',
  payload: { repository: { private: false } },
};

export const service = { ACTIONS_RESULTS_URL: 'https://results', ACTIONS_RUNTIME_TOKEN: 'token' };

export const facts: BuildFacts = {
  event: pushEvent,
  environment: service,
  workspace: '/work/app',
  folder: '/temp/private',
  builder: {
    name: 'default',
    driver: 'docker',
    buildkitVersion: 'v0.25',
    platforms: [],
    hasContainerdStore: true,
    isOwn: false,
  },
  commitTime: 1_700_000_000,
  publishedSizes: new Map(),
};

export const row = {
  image: 'web',
  variant: 'gpu',
  context: '.',
  dockerfile: 'Dockerfile',
  target: 'run',
  inputs: 'a'.repeat(64),
  scope: 'web-gpu-amd64',
  'cache-mode': 'min',
};
