import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { contract } from '../../../src/actions/frontend-s3-deploy/contract.ts';
import { run } from '../../../src/actions/frontend-s3-deploy/run.ts';
import { runCommand } from '../../../src/core/runner/command.ts';
import type { OutputsOf } from '../../../src/core/runner/contract.ts';
import { readEvent } from '../../../src/core/runner/event.ts';
import { readInputs } from '../../../src/core/runner/inputs.ts';
import { createLog } from '../../../src/core/runner/log.ts';
import type { ActionResult } from '../../../src/core/runner/run-action.ts';

type Texts = Readonly<Record<string, string>>;

/** Static keys, as a step's `env` gives them. */
export const KEYS: Texts = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'static-secret' };

/** A workspace with a built site in `dist`, and the action run on it through its real inputs. */
export interface Workspace extends AsyncDisposable {
  /** What the step printed, masks included. */
  readonly lines: string[];
  /** The source, on disk. */
  readonly folder: string;
  write(path: string, data: string | Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  /** Runs the action on bucket `bucket`; `source` is `dist` unless the inputs name what to deploy. */
  deploy(endpoint: string, inputs?: Texts, variables?: Texts): Promise<ActionResult<typeof contract>>;
  outputs(endpoint: string, inputs?: Texts, variables?: Texts): Promise<OutputsOf<typeof contract>>;
  /** The variables of an event with this payload. */
  event(name: string, payload: object): Promise<Texts>;
}

export async function createWorkspace(pages: Texts = {}): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-action-'));
  const lines: string[] = [];
  const write = async (path: string, data: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(folder, 'dist', path)), { recursive: true });
    await writeFile(join(folder, 'dist', path), data);
  };
  for (const [path, text] of Object.entries(pages)) await write(path, text);

  const deploy: Workspace['deploy'] = async (endpoint, inputs = {}, variables = KEYS) => {
    const isFromBucket = inputs['rollback-to'] !== undefined || inputs['promote'] !== undefined;
    const given = { ...(isFromBucket ? {} : { source: 'dist' }), bucket: 'bucket', endpoint, ...inputs };
    const environment = {
      GITHUB_SHA: '0123456789abcdef',
      GITHUB_SERVER_URL: 'https://github.com',
      ...variables,
      ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    };
    const log = createLog((line) => lines.push(line), { debug: false });
    const state = { save: () => undefined, get: () => undefined };
    const event = readEvent(environment);
    const context = { event, environment, workspace: folder, temp: join(folder, 'temp'), log, runCommand, state };
    return run(readInputs(contract, environment, log), context);
  };

  return {
    lines,
    folder: join(folder, 'dist'),
    write,
    deploy,
    remove: (path) => rm(join(folder, 'dist', path), { recursive: true }),
    outputs: async (...given) => (await deploy(...given)).outputs ?? {},
    event: async (name, payload) => {
      const file = join(folder, `event-${name}.json`);
      await writeFile(file, JSON.stringify(payload));
      return { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: file };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
