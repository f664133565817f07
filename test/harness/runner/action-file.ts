/** Reads an action's `action.yml` into the parts the runner acts on. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

export interface ActionInput {
  readonly name: string;
  /** The default as text, expressions not yet evaluated. */
  readonly default: string | undefined;
  readonly deprecation: string | undefined;
}

export interface JavaScriptRuns {
  readonly using: 'javascript';
  readonly main: string;
  readonly pre: string | undefined;
  readonly preIf: string;
  readonly post: string | undefined;
  readonly postIf: string;
}

export interface CompositeRuns {
  readonly using: 'composite';
  readonly steps: readonly unknown[];
}

export interface ActionFile {
  readonly name: string;
  readonly folder: string;
  readonly inputs: readonly ActionInput[];
  /** Values of the outputs; only a composite action has them. */
  readonly outputs: ReadonlyMap<string, string | undefined>;
  readonly runs: JavaScriptRuns | CompositeRuns;
}

export type YamlMapping = Readonly<Record<string, unknown>>;

export function asMapping(value: unknown, what: string): YamlMapping {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error(`${what} must be a mapping`);
  return Object.fromEntries(Object.entries(value));
}

export function asText(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

/** @throws Error when the folder holds no action.yml or action.yaml, or `runs.using` is not supported here. */
export async function readActionFile(folder: string): Promise<ActionFile> {
  const text = await readFirst([join(folder, 'action.yml'), join(folder, 'action.yaml')]);
  const file = asMapping(parse(text), `${folder}/action.yml`);
  const inputs = Object.entries(asMapping(file['inputs'], 'inputs')).map(([name, definition]): ActionInput => {
    const fields = asMapping(definition, `input ${name}`);
    return { name, default: asText(fields['default']), deprecation: asText(fields['deprecationMessage']) };
  });
  const outputs = Object.entries(asMapping(file['outputs'], 'outputs')).map(
    ([name, definition]) => [name, asText(asMapping(definition, `output ${name}`)['value'])] as const,
  );
  return {
    name: asText(file['name']) ?? folder,
    folder: resolve(folder),
    inputs,
    outputs: new Map(outputs),
    runs: readRuns(asMapping(file['runs'], 'runs'), folder),
  };
}

async function readFirst(files: readonly string[]): Promise<string> {
  for (const file of files) {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')))
        throw error;
    }
  }
  throw new Error(
    `Can't find 'action.yml' or 'action.yaml' (looked for ${files.join(', ')}). Did you forget to run actions/checkout before running your local action?`,
  );
}

function readRuns(runs: YamlMapping, folder: string): JavaScriptRuns | CompositeRuns {
  const using = asText(runs['using']);
  if (using === 'composite') {
    const steps: unknown = runs['steps'];
    if (!Array.isArray(steps)) throw new Error(`${folder}/action.yml: runs.steps must be a list`);
    return { using: 'composite', steps };
  }
  if (using !== 'node24' && using !== 'node20') {
    throw new Error(
      `${folder}/action.yml: runs.using '${using ?? ''}' is not supported by this runner (node24, node20, composite)`,
    );
  }
  const main = asText(runs['main']);
  if (main === undefined) throw new Error(`${folder}/action.yml: runs.main is missing`);
  return {
    using: 'javascript',
    main,
    pre: asText(runs['pre']),
    preIf: asText(runs['pre-if']) ?? 'always()',
    post: asText(runs['post']),
    postIf: asText(runs['post-if']) ?? 'always()',
  };
}
