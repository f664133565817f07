import { isAbsolute, relative, resolve } from 'node:path';
import { isRemoteContext } from '../../core/buildkit/image-targets.ts';
import type { BuildInputs } from './contract.ts';

/**
 * Bake's permissions for folders outside of the workspace: this run's own one, and those that the inputs name.
 *
 * Rows get none: their text may come from a pull request, and a link in it must not reach the runner's own files.
 */
export function readAllowedPaths(
  inputs: BuildInputs,
  place: { readonly workspace: string; readonly folder: string },
): readonly string[] {
  const outside = (path: string): boolean => {
    const way = relative(place.workspace, resolve(place.workspace, path));
    return way === '..' || way.startsWith('../') || isAbsolute(way);
  };
  const contexts = [inputs.context ?? '', ...inputs.buildContexts.map(afterFirstEquals)].filter(
    (context) => context !== '' && !context.includes('{{') && !isRemoteContext(context),
  );
  const read = [
    ...contexts,
    inputs.file ?? '',
    ...inputs.secretFiles.map(afterFirstEquals),
    ...inputs.cacheFrom.flatMap(foldersOf),
  ];
  const written = [...inputs.outputs, ...inputs.cacheTo].flatMap(foldersOf);
  const cacheFolder = inputs.cache === 'local' && inputs.cacheFolder !== undefined ? [`fs=${inputs.cacheFolder}`] : [];
  return [
    `fs=${place.folder}`,
    ...cacheFolder,
    ...read.filter((path) => path !== '' && outside(path)).map((path) => `fs.read=${path}`),
    ...written.filter(outside).map((path) => `fs.write=${path}`),
  ];
}

function afterFirstEquals(entry: string): string {
  return entry.slice(entry.indexOf('=') + 1).trim();
}

/** The folders in an entry such as `type=local,dest=/cache`. */
function foldersOf(entry: string): readonly string[] {
  return [...entry.matchAll(/(?:^|,)"?(?:dest|src)=([^",]+)/g)].map((match) => match[1] ?? '');
}
