/** What a `uses:` of a step names, and where it lies on this machine. */
import { isAbsolute, join, normalize } from 'node:path';
import type { BuiltinAction, RunSettings } from './run-settings.ts';
import { UnsupportedError } from './workflow-error.ts';

export type ResolvedUse =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'folder'; readonly folder: string; readonly repository: string; readonly ref: string }
  | { readonly kind: 'builtin'; readonly action: BuiltinAction; readonly name: string; readonly ref: string };

/** @throws UnsupportedError that names the action when it is neither local, mapped nor built in. */
export function resolveUse(
  uses: string,
  settings: Pick<RunSettings, 'builtins' | 'repositories'>,
  where: string,
): ResolvedUse {
  if (uses.startsWith('./')) return { kind: 'local', path: uses };
  const match = /^([^/@]+)\/([^/@]+)((?:\/[^@]+)?)@(.+)$/.exec(uses);
  if (match === null) throw new UnsupportedError(`${where}: 'uses: ${uses}' is not supported by this runner`);
  const [, owner = '', name = '', path = '', ref = ''] = match;
  const builtin = settings.builtins.get(`${owner}/${name}${path}`.toLowerCase());
  if (builtin !== undefined) return { kind: 'builtin', action: builtin, name: `${owner}/${name}${path}`, ref };
  const folder = settings.repositories.get(`${owner}/${name}`.toLowerCase());
  if (folder === undefined) {
    throw new UnsupportedError(
      `${where}: 'uses: ${uses}' is not known here: register a builtin '${owner}/${name}${path}' or map the repository '${owner}/${name}' to a folder`,
    );
  }
  return { kind: 'folder', folder: within(folder, path, uses), repository: `${owner}/${name}`, ref };
}

/** Joins a relative path to a folder. @throws UnsupportedError when it leaves the folder. */
export function within(folder: string, path: string, what: string): string {
  const relativePath = normalize(path.replace(/^\/+/, ''));
  if (isAbsolute(relativePath) || relativePath.startsWith('..'))
    throw new UnsupportedError(`'${what}' leaves its repository`);
  return join(folder, relativePath);
}
