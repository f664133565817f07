import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { githubEvents } from '../test/harness/github-events.ts';
import type { TriggerEvent } from '../test/harness/runner/trigger-event.ts';
import { startGithubApi } from '../test/harness/standins/github-api.ts';
import { type Figure, median } from './figure.ts';

const root = join(import.meta.dirname, '..');
const RUNS = 25;
/** Seconds over bare Node that a whole run may take on a machine of its own; of CPU, which neighbours disturb least. */
const LIMIT = 0.12;
/**
 * A whole run of docker/metadata-action v6.2 with one call to a local API on Node 24, as often as long as `node -e 0`:
 * 0.323 s to 0.027 s, medians of 25 runs, recorded on another machine. Ours may be at most 0.4 of it.
 */
const PEER = 12;

interface Case {
  readonly name: string;
  readonly event: TriggerEvent | undefined;
  /** Requests that the run must have sent: else it measured something else. */
  readonly requests: number;
  readonly inputs?: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = [
  { name: 'a push, offline', event: githubEvents['push main'], requests: 0 },
  { name: 'a schedule with its date, offline', event: githubEvents['schedule'], requests: 0 },
  {
    name: 'a template that needs Handlebars, offline',
    event: githubEvents['push main'],
    requests: 0,
    inputs: { TAGS: 'type=raw,value={{#if tag}}{{tag}}{{else}}{{branch}}{{/if}}' },
  },
  { name: 'a version with one API call', event: githubEvents['tag v1.2.3'], requests: 1 },
];

/**
 * The time of whole runs of the bundle, in this clone, beside that of `node -e 0`: read, decide, ask git, write.
 *
 * Both run in turn, so that a machine that slows down slows both.
 */
export async function measureTags(): Promise<readonly Figure[]> {
  await using api = await startGithubApi({ repositories: [{ fullName: 'acme/app' }] });
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  try {
    const figures: Figure[] = [];
    for (const one of cases) {
      const environment = await environmentOf(one, folder, one.requests === 0 ? 'http://127.0.0.1:9' : api.url);
      const before = api.requests.length;
      const pairs: { readonly bare: Time; readonly ours: Time }[] = [];
      for (let run = 0; run <= RUNS; run += 1) {
        const bare = await time(['-e', '0'], environment);
        const ours = await time([join(root, 'dist/metadata-tags/index.js')], environment);
        // The first pair warms the machine's file cache and is left out.
        if (run > 0) pairs.push({ bare, ours });
      }
      const asked = (api.requests.length - before) / (RUNS + 1);
      if (asked !== one.requests) throw new Error(`${one.name} asked the API ${asked} times a run`);
      figures.push({
        name: `metadata-tags: ${one.name}, over node -e 0 (CPU)`,
        value: median(pairs.map(({ bare, ours }) => ours.cpu - bare.cpu)),
        unit: 's',
        against: { name: 'limit', value: LIMIT },
      });
      figures.push({
        name: `metadata-tags: ${one.name}, to node -e 0 (wall)`,
        value: median(pairs.map(({ bare, ours }) => ours.wall / bare.wall)),
        unit: 'times',
        against: { name: 'docker/metadata-action v6.2, recorded', value: PEER },
      });
    }
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the runner would set. */
async function environmentOf({ event, inputs = {} }: Case, folder: string, apiUrl: string): Promise<NodeJS.ProcessEnv> {
  if (event === undefined) throw new Error('there is no such event');
  const files = Object.fromEntries(
    ['OUTPUT', 'ENV', 'STATE', 'STEP_SUMMARY'].map((name) => [`GITHUB_${name}`, join(folder, name)]),
  );
  for (const path of Object.values(files)) await writeFile(path, '');
  const payload = join(folder, 'event.json');
  await writeFile(payload, JSON.stringify(event.payload));
  return {
    PATH: process.env['PATH'],
    ...files,
    GITHUB_EVENT_NAME: event.name,
    GITHUB_EVENT_PATH: payload,
    GITHUB_REF: event.ref,
    GITHUB_SHA: event.sha,
    GITHUB_REPOSITORY: 'acme/app',
    GITHUB_WORKSPACE: root,
    GITHUB_API_URL: apiUrl,
    RUNNER_TEMP: folder,
    INPUT_IMAGES: 'ghcr.io/acme/app',
    ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name}`, value])),
  };
}

/** Seconds, those of the processes it started included. */
interface Time {
  readonly wall: number;
  readonly cpu: number;
}

async function time(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Time> {
  const script = 'TIMEFORMAT="%3R %3U %3S"; { time "$@" >/dev/null 2>&3; } 3>/dev/null';
  const child = spawn('bash', ['-c', script, 'bash', process.execPath, ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = said.trim().split(' ').map(Number);
  if (code !== 0 || Number.isNaN(wall + user + system))
    throw new Error(`${args.join(' ')} exited with ${code}: ${said}`);
  return { wall, cpu: user + system };
}
