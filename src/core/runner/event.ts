import { readFileSync, statSync } from 'node:fs';
import type { Environment } from './commands.ts';
import { ConfigurationError } from './errors.ts';

/** What started the run, as the runner tells it. */
export interface RunnerEvent {
  /** `push`, `pull_request`, `merge_group`, `schedule`, `release`, … */
  readonly name: string;
  /** The whole ref, such as `refs/heads/main`. */
  readonly ref: string;
  readonly sha: string;
  /** `owner/name`, in the case its owner wrote it. */
  readonly repository: string;
  readonly actor: string;
  readonly workflow: string;
  readonly job: string;
  readonly runId: string;
  readonly runAttempt: number;
  /** `https://github.com`, or the GitHub Enterprise Server's address; without a slash at its end. */
  readonly serverUrl: string;
  readonly apiUrl: string;
  readonly graphqlUrl: string;
  readonly refType?: 'branch' | 'tag';
  /** Pull requests only: the branch merged into, and the branch that is merged. */
  readonly baseRef?: string;
  readonly headRef?: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** GitHub sends payloads of up to 25 MB; a larger file is not one. */
const MAX_PAYLOAD = 32 * 1024 * 1024;

/**
 * Reads the event from the runner's environment and its payload file.
 *
 * A payload that is missing is an empty one, as for local runs. Throws ConfigurationError when it cannot be read.
 */
export function readEvent(environment: Environment): RunnerEvent {
  const of = (name: string): string => environment[name] ?? '';
  const refType = of('GITHUB_REF_TYPE');
  return {
    name: of('GITHUB_EVENT_NAME'),
    ref: of('GITHUB_REF'),
    sha: of('GITHUB_SHA'),
    repository: of('GITHUB_REPOSITORY'),
    actor: of('GITHUB_ACTOR'),
    workflow: of('GITHUB_WORKFLOW'),
    job: of('GITHUB_JOB'),
    runId: of('GITHUB_RUN_ID'),
    runAttempt: Number(of('GITHUB_RUN_ATTEMPT') || 1),
    serverUrl: (of('GITHUB_SERVER_URL') || 'https://github.com').replace(/\/+$/, ''),
    apiUrl: (of('GITHUB_API_URL') || 'https://api.github.com').replace(/\/+$/, ''),
    graphqlUrl: (of('GITHUB_GRAPHQL_URL') || 'https://api.github.com/graphql').replace(/\/+$/, ''),
    ...(refType === 'branch' || refType === 'tag' ? { refType } : {}),
    ...(of('GITHUB_BASE_REF') === '' ? {} : { baseRef: of('GITHUB_BASE_REF') }),
    ...(of('GITHUB_HEAD_REF') === '' ? {} : { headRef: of('GITHUB_HEAD_REF') }),
    payload: readPayload(of('GITHUB_EVENT_PATH')),
  };
}

function readPayload(path: string): Readonly<Record<string, unknown>> {
  if (path === '') return {};
  let text: string;
  try {
    if (statSync(path).size > MAX_PAYLOAD) throw new Error(`it is larger than ${MAX_PAYLOAD} bytes`);
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return {};
    throw new ConfigurationError(`the event payload "${path}" cannot be read`, { cause });
  }
  try {
    const payload: unknown = JSON.parse(text);
    if (isRecord(payload)) return payload;
  } catch (cause) {
    throw new ConfigurationError(`the event payload "${path}" is no JSON`, { cause });
  }
  throw new ConfigurationError(`the event payload "${path}" is no JSON object`);
}

/** True for a plain object of unknown fields: what a payload's parts are narrowed by. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of field names in a payload, or undefined where a part of the path is missing. */
export function fieldOf(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const name of path) {
    if (!isRecord(current) || !Object.hasOwn(current, name)) return undefined;
    current = current[name];
  }
  return current;
}
