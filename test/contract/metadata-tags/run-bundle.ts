import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { push } from '../../harness/github-events.ts';
import { type ActionResult, runAction } from '../../harness/runner/run-action.ts';
import type { TriggerEvent } from '../../harness/runner/trigger-event.ts';
import { startGithubApi } from '../../harness/standins/github-api.ts';
import type { Repository } from '../../harness/standins/github-repositories.ts';

export interface BundleStep {
  readonly event?: TriggerEvent;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** A checked-out repository; default: an empty folder. */
  readonly workspace?: string;
  /** What the API knows of `acme/app` beside its name. */
  readonly repository?: Omit<Repository, 'fullName'>;
}

export interface BundleResult extends ActionResult {
  /** Lines of the output `tags`. */
  readonly tags: readonly string[];
  /** What was asked of the API, as `METHOD /path`. */
  readonly requests: readonly string[];
  /** Messages of the annotations of a level. */
  readonly said: (level: 'error' | 'warning' | 'notice') => readonly string[];
}

/** Runs the built bundle of metadata-tags as GitHub's runner does, with an API that knows `acme/app`. */
export async function runBundle(step: BundleStep = {}): Promise<BundleResult> {
  await using api = await startGithubApi({ repositories: [{ fullName: 'acme/app', ...step.repository }] });
  const folder = await mkdtemp(join(tmpdir(), 'metadata-tags-'));
  try {
    const result = await runAction({
      action: resolve(import.meta.dirname, '../../../actions/metadata-tags'),
      inputs: step.inputs ?? {},
      event: step.event ?? push('refs/heads/main'),
      workspace: step.workspace ?? folder,
      env: { GITHUB_API_URL: api.url, ...step.env },
    });
    return {
      ...result,
      tags: (result.outputs['tags'] ?? '').split('\n').filter((tag) => tag !== ''),
      requests: api.requests.map(({ method, path }) => `${method} ${path}`),
      said: (level) => result.annotations.filter((one) => one.level === level).map(({ message }) => message),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
