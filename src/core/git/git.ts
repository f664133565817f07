import type { CommandResult, RunCommand } from '../runner/command.ts';
import type { Environment } from '../runner/commands.ts';

/** Runs git in one folder. */
export interface Git {
  /** Throws CommandError for a non-zero exit unless `allowFailure`. */
  run(
    args: readonly string[],
    options?: { readonly input?: string; readonly allowFailure?: boolean },
  ): Promise<CommandResult>;
}

const DEADLINE = 10 * 60_000;
const MAX_OUTPUT = 512 * 1024 * 1024;

/**
 * A git for a folder of a checkout.
 *
 * Hooks and file system monitors of the checkout are off, as nothing in it is trusted; the owner check is off, since
 * container jobs run as another user than the checkout (actions/checkout#1169); prompts fail instead of waiting.
 */
export function createGit(runCommand: RunCommand, folder: string, environment: Environment): Git {
  const env = {
    ...environment,
    ...withSettings(environment),
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  };
  return {
    run: (args, options = {}) =>
      runCommand('git', args, { cwd: folder, env, deadline: DEADLINE, maxOutput: MAX_OUTPUT, ...options }),
  };
}

const SETTINGS = [
  ['safe.directory', '*'],
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['protocol.ext.allow', 'never'],
] as const;

/** Settings of git's "command" scope, behind those that the environment already has. */
function withSettings(environment: Environment): Environment {
  const given = Number(environment['GIT_CONFIG_COUNT'] ?? 0) || 0;
  const variables = SETTINGS.flatMap(([key, value], index): [string, string][] => [
    [`GIT_CONFIG_KEY_${given + index}`, key],
    [`GIT_CONFIG_VALUE_${given + index}`, value],
  ]);
  return { ...Object.fromEntries(variables), GIT_CONFIG_COUNT: String(given + SETTINGS.length) };
}

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** True for a whole object id, SHA-1 or SHA-256, that is not all zeros. */
export function isCommitId(text: unknown): text is string {
  return typeof text === 'string' && COMMIT.test(text) && !isZeroId(text);
}

/** True for the id of nothing, which stands for "there was no such ref before" in push events. */
export function isZeroId(text: unknown): boolean {
  return typeof text === 'string' && /^0+$/.test(text);
}
