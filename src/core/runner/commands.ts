import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync } from 'node:fs';
import { EOL } from 'node:os';

/**
 * GitHub's workflow commands and command files, as the runner reads them.
 *
 * `@actions/core` has the same grammar, but importing it loads undici for OIDC alone: some 60 ms of CPU in every
 * step of every user (measured in bench/RESULTS.md). It is imported where its token exchange is used.
 *
 * Source: docs.github.com, "Workflow commands for GitHub Actions"; actions/runner, FileCommandManager.cs.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export type CommandProperties = Readonly<Record<string, string | number | undefined>>;

/** One `::name key=value::message` line, escaped so that no value can start a command of its own. */
export function formatCommand(name: string, properties: CommandProperties, message: string): string {
  const pairs = Object.entries(properties)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  return `::${name}${pairs.length === 0 ? '' : ` ${pairs.join(',')}`}::${escapeMessage(message)}`;
}

function escapeMessage(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}

/**
 * Appends one entry to a command file (`GITHUB_OUTPUT`, `GITHUB_STATE`, `GITHUB_ENV`).
 *
 * The delimiter is random, so that a value from a repository cannot close its own block and set other outputs.
 * Throws when the runner gave no such file, which happens only outside of a runner.
 */
export function appendEntry(environment: Environment, file: EntryFile, name: string, value: string): void {
  const delimiter = `ghadelimiter_${randomUUID()}`;
  if (name.includes(delimiter) || value.includes(delimiter))
    throw new Error(`a value of "${name}" holds its delimiter`);
  appendToCommandFile(environment, file, `${name}<<${delimiter}${EOL}${value}${EOL}${delimiter}${EOL}`);
}

export type EntryFile = 'GITHUB_OUTPUT' | 'GITHUB_STATE' | 'GITHUB_ENV';

/** Appends raw text to a command file such as `GITHUB_STEP_SUMMARY`. */
export function appendToCommandFile(environment: Environment, variable: string, text: string): void {
  const path = environment[variable];
  if (path === undefined || path === '' || !existsSync(path)) {
    throw new Error(`the runner gave no file in ${variable}: this action runs inside a GitHub Actions job`);
  }
  appendFileSync(path, text);
}
