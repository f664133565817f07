/** A `run:` step: writes the script to a file and runs it with its shell. */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { interpolate } from '../runner/expressions.ts';
import { runStep } from '../runner/run-step.ts';
import { type StepSequence, stepScope } from './step-sequence.ts';
import { UnsupportedError, WorkflowError } from './workflow-error.ts';
import type { StepDefinition } from './workflow-file.ts';
import type { StepExecution } from './workflow-result.ts';

export interface Shell {
  readonly command: readonly string[];
  readonly extension: string;
}

/** The command lines of GitHub's "shell" reference; a step without a shell has no pipefail, one with `bash` has. */
export function shellCommand(shell: string | undefined): Shell {
  switch (shell) {
    case undefined:
      return { command: ['bash', '-e', '{0}'], extension: '.sh' };
    case 'bash':
      return { command: ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '{0}'], extension: '.sh' };
    case 'sh':
      return { command: ['sh', '-e', '{0}'], extension: '.sh' };
    case 'python':
      return { command: [pythonName(), '{0}'], extension: '.py' };
    case 'pwsh':
    case 'powershell':
    case 'cmd':
      throw new UnsupportedError(`shell '${shell}' is not supported by this runner`);
    default:
      if (!shell.includes('{0}'))
        throw new WorkflowError(`Invalid shell option '${shell}': a custom shell needs '{0}'`);
      return { command: shell.split(/\s+/).filter((word) => word !== ''), extension: '' };
  }
}

/** GitHub's images have `python`; Debian has `python3` alone. */
function pythonName(): string {
  try {
    execFileSync('python', ['--version'], { stdio: 'ignore' });
    return 'python';
  } catch {
    return 'python3';
  }
}

export async function runScript(
  step: StepDefinition,
  sequence: StepSequence,
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly timeoutMs: number | undefined;
    readonly onLine: (line: string) => void;
  },
): Promise<StepExecution> {
  const { job, signal } = sequence.session;
  const scope = stepScope(sequence, { env: options.env });
  if (sequence.actionFolder !== undefined && step.shell === undefined) {
    throw new WorkflowError(`${sequence.where}: Required property is missing: shell`);
  }
  const shellText = step.shell ?? sequence.defaults.shell;
  const shell = shellCommand(shellText === undefined ? undefined : interpolate(shellText, scope));
  const script = join(job.temp, `${randomUUID()}${shell.extension}`);
  await writeFile(script, `${interpolate(step.run ?? '', scope)}\n`);
  const [file = 'bash', ...args] = shell.command.map((word) => word.replaceAll('{0}', script));
  const folder = step.workingDirectory ?? sequence.defaults.workingDirectory ?? '.';
  return runStep(job, {
    kind: 'script',
    file,
    args,
    cwd: resolve(job.workspace, interpolate(folder, scope)),
    env: { ...sequence.env, ...options.env },
    onLine: options.onLine,
    ...(sequence.actionFolder === undefined ? {} : { runnerSet: { GITHUB_ACTION_PATH: sequence.actionFolder } }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(signal.aborted ? {} : { signal }),
  });
}
