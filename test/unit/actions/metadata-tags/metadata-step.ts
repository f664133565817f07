import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contract } from '../../../../src/actions/metadata-tags/contract.ts';
import { run } from '../../../../src/actions/metadata-tags/run.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';
import { readEvent } from '../../../../src/core/runner/event.ts';
import { readInputs } from '../../../../src/core/runner/inputs.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { startGithubApi } from '../../../harness/standins/github-api.ts';
import type { Repository } from '../../../harness/standins/github-repositories.ts';

export const SHA = '860c1904a1ce19322e91ac35af1ab07466440c37';

export interface MetadataStep {
  readonly ref?: string;
  readonly event?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** What the API knows of the repository beside its name. */
  readonly repository?: Omit<Repository, 'fullName'>;
  /** A checked-out repository; default: an empty folder. */
  readonly workspace?: string;
}

export interface MetadataResult {
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Lines of the output `tags`. */
  readonly tags: readonly string[];
  readonly summary: string;
  readonly log: string;
  /** `METHOD /path` of what was asked of the API. */
  readonly requests: readonly string[];
  /** What went to GITHUB_ENV. */
  readonly exported: string;
  /** Content of a bake definition by the name of its output. */
  readonly bakeFile: (output: string) => unknown;
}

/** What a push's payload says of its repository. */
export const REPOSITORY = {
  name: 'app',
  full_name: 'acme/app',
  html_url: 'https://github.com/acme/app',
  description: 'An app',
  license: { spdx_id: 'MIT' },
  default_branch: 'main',
};

/** Runs the action on input texts as the runner hands them over, through the contract and every parser. */
export async function runMetadata(step: MetadataStep): Promise<MetadataResult> {
  await using api = await startGithubApi({ repositories: [{ fullName: 'acme/app', ...step.repository }] });
  const root = await mkdtemp(join(tmpdir(), 'metadata-tags-'));
  try {
    const paths = {
      payload: join(root, 'event.json'),
      exported: join(root, 'env'),
      temp: join(root, 'temp'),
      workspace: join(root, 'workspace'),
    };
    await mkdir(paths.workspace);
    await mkdir(paths.temp);
    await writeFile(paths.payload, JSON.stringify(step.payload ?? { repository: REPOSITORY }));
    await writeFile(paths.exported, '');
    const inputs = Object.entries(step.inputs ?? {}).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    const environment = {
      PATH: process.env['PATH'],
      GITHUB_EVENT_NAME: step.event ?? 'push',
      GITHUB_EVENT_PATH: paths.payload,
      GITHUB_REF: step.ref ?? 'refs/heads/main',
      GITHUB_SHA: SHA,
      GITHUB_REPOSITORY: 'acme/app',
      GITHUB_API_URL: api.url,
      GITHUB_ENV: paths.exported,
      ...step.environment,
      ...Object.fromEntries(inputs),
    };
    const lines: string[] = [];
    const log = createLog((line) => lines.push(line), { debug: true });
    const result = await run(readInputs(contract, environment, log), {
      event: readEvent(environment),
      environment,
      workspace: step.workspace ?? paths.workspace,
      temp: paths.temp,
      log,
      runCommand,
      state: { save: () => undefined, get: () => undefined },
    });
    const outputs = result.outputs ?? {};
    const files = new Map<string, unknown>();
    for (const [name, path] of Object.entries(outputs)) {
      if (name.startsWith('bakeFile')) files.set(name, JSON.parse(await readFile(String(path), 'utf8')));
    }
    return {
      outputs,
      tags: String(outputs.tags ?? '')
        .split('\n')
        .filter((tag) => tag !== ''),
      summary: result.summary ?? '',
      log: lines.join('\n'),
      requests: api.requests.map(({ method, path }) => `${method} ${path}`),
      exported: await readFile(paths.exported, 'utf8'),
      bakeFile: (name) => files.get(name),
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
