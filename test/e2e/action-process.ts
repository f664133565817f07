import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type CommandFiles, createCommandFiles } from '../harness/runner/command-files.ts';
import { node24 } from '../harness/runner/node24.ts';
import { EVENT } from '../unit/actions/ghcr-publish/publish-step.ts';

export interface ActionProcess {
  readonly child: ChildProcess;
  /** What it printed, once it has ended. */
  readonly ended: Promise<{ readonly exitCode: number | null; readonly log: string }>;
}

/** What the runner gives a step: RUNNER_TEMP, a home, and the command files. */
export interface StepFolder {
  readonly environment: Readonly<Record<string, string>>;
  readonly temp: string;
  readonly files: CommandFiles;
}

export async function makeStepFolder(folder: string): Promise<StepFolder> {
  const temp = join(folder, 'temp');
  await mkdir(temp, { recursive: true });
  const files = await createCommandFiles(join(folder, 'commands'));
  return {
    temp,
    files,
    environment: {
      RUNNER_TEMP: temp,
      HOME: folder,
      GITHUB_REPOSITORY: EVENT.repository,
      GITHUB_SHA: EVENT.sha,
      GITHUB_OUTPUT: files.output,
      GITHUB_STATE: files.state,
      GITHUB_STEP_SUMMARY: files.step_summary,
    },
  };
}

/** Starts an action from its source, in a process of its own that can be ended at any time. */
export function startAction(
  name: string,
  inputs: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
): ActionProcess {
  const main = resolve(import.meta.dirname, '../../src/actions', name, 'main.ts');
  const variables = Object.entries(inputs).map(([input, value]) => [`INPUT_${input.toUpperCase()}`, value]);
  const child = spawn(node24(), ['--input-type=module', '--eval', `import { start } from '${main}'; await start();`], {
    env: { PATH: process.env['PATH'], ...environment, ...Object.fromEntries(variables) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<{ exitCode: number | null; log: string }>((done) =>
    child.once('close', (exitCode) => done({ exitCode, log })),
  );
  return { child, ended };
}

/** The argument vectors of all processes of this machine that hold a text. */
export async function argumentsThatHold(text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    // A process that has ended in the meantime has no arguments left to look at.
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(text)) found.push(line.replaceAll('\0', ' '));
  }
  return found;
}
