/**
 * The files through which a step speaks to the runner: GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH, GITHUB_STATE and
 * GITHUB_STEP_SUMMARY. Grammar and messages follow the runner's own reader (actions/runner, FileCommandManager.cs).
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type CommandFileName = 'output' | 'env' | 'path' | 'state' | 'step_summary';

export type CommandFiles = Readonly<Record<CommandFileName, string>>;

export interface CommandFileContents {
  readonly outputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly path: readonly string[];
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
  /** What the runner would print as errors; an entry with `fails` turns the step red. */
  readonly errors: readonly { readonly message: string; readonly fails: boolean }[];
}

/** The runner drops a larger summary with an error annotation, but does not fail the step. */
export const summaryLimitBytes = 1024 * 1024;

/** GitHub measures outputs as UTF-16 text: 1 MiB for one job. */
export const outputsLimitBytes = 1024 * 1024;

/** Variables the runner refuses to take from GITHUB_ENV. */
const blockedVariables = new Set(['NODE_OPTIONS']);

export async function createCommandFiles(folder: string): Promise<CommandFiles> {
  await mkdir(folder, { recursive: true });
  const suffix = randomUUID();
  const files: CommandFiles = {
    output: join(folder, `set_output_${suffix}`),
    env: join(folder, `set_env_${suffix}`),
    path: join(folder, `add_path_${suffix}`),
    state: join(folder, `save_state_${suffix}`),
    step_summary: join(folder, `step_summary_${suffix}`),
  };
  await Promise.all(Object.values(files).map((file) => writeFile(file, '')));
  return files;
}

/**
 * Reads `name=value` and `name<<DELIMITER` entries.
 * @throws Error with the runner's words when a line fits neither form or a delimiter is missing.
 */
export function parseKeyValues(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (line === '') continue;
    const equals = line.indexOf('=');
    const heredoc = line.indexOf('<<');
    if (heredoc >= 0 && (equals < 0 || heredoc < equals)) {
      const name = line.slice(0, heredoc);
      const delimiter = line.slice(heredoc + 2);
      if (name === '' || delimiter === '') {
        throw new Error(`Invalid format '${line}'. Name must not be empty and delimiter must not be empty`);
      }
      const end = lines.indexOf(delimiter, index + 1);
      if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
      values.set(name, lines.slice(index + 1, end).join('\n'));
      index = end;
    } else if (equals >= 0) {
      values.set(line.slice(0, equals), line.slice(equals + 1));
    } else {
      throw new Error(`Invalid format '${line}'`);
    }
  }
  return values;
}

/** Bytes of all names and values as UTF-16 text, the measure of GitHub's output limit. */
export function outputBytes(outputs: Iterable<readonly [string, string]>): number {
  let characters = 0;
  for (const [name, value] of outputs) characters += name.length + value.length;
  return characters * 2;
}

export async function readCommandFiles(files: CommandFiles): Promise<CommandFileContents> {
  const errors: { message: string; fails: boolean }[] = [];
  const readValues = async (name: CommandFileName): Promise<Map<string, string>> => {
    try {
      return parseKeyValues(await readFile(files[name], 'utf8'));
    } catch (error) {
      errors.push({ message: `Unable to process file command '${name}' successfully.`, fails: true });
      errors.push({ message: error instanceof Error ? error.message : String(error), fails: true });
      return new Map();
    }
  };
  const outputs = await readValues('output');
  const env = await readValues('env');
  for (const name of [...env.keys()].filter((name) => blockedVariables.has(name.toUpperCase()))) {
    errors.push({ message: `Can't store ${name} output parameter using '$GITHUB_ENV' command.`, fails: true });
    env.delete(name);
  }
  const state = await readValues('state');
  const path = (await readFile(files.path, 'utf8')).split(/\r?\n/).filter((line) => line !== '');
  const summary = await readSummary(files.step_summary, errors);
  return {
    outputs: Object.fromEntries(outputs),
    env: Object.fromEntries(env),
    path,
    state: Object.fromEntries(state),
    summary,
    errors,
  };
}

async function readSummary(file: string, errors: { message: string; fails: boolean }[]): Promise<string> {
  const { size } = await stat(file);
  if (size <= summaryLimitBytes) return readFile(file, 'utf8');
  const message = `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${Math.floor(size / 1024)}k.`;
  errors.push({ message, fails: false });
  return '';
}
