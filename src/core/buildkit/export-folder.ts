import { isAbsolute, relative, resolve } from 'node:path';
import { ConfigurationError } from '../runner/errors.ts';
import type { BakeTarget } from './bake-definition.ts';

/** A folder of a stage that is copied into the workspace. */
export interface FolderExport {
  /** A stage of the Dockerfile, or a target of the definition; undefined for the image that is built. */
  readonly stage: string | undefined;
  /** Absolute inside the image. */
  readonly source: string;
  /** Relative to the workspace. */
  readonly folder: string;
}

/**
 * Reads `stage:/path=folder`; without `stage:` the built image is meant, without `=folder` the folder has the source's
 * last name. Throws ConfigurationError.
 */
export function parseFolderExport(text: string): FolderExport {
  const match = /^(?:(?<stage>[A-Za-z0-9][\w.-]*):)?(?<source>\/[^=\0\n]*)(?:=(?<folder>[^\0\n]+))?$/.exec(text.trim());
  const source = match?.groups?.['source']?.replace(/\/+$/, '') || '/';
  if (match?.groups === undefined || source.split('/').includes('..')) {
    throw new ConfigurationError(`"${text.trim().slice(0, 100)}" must be written stage:/path=folder`);
  }
  const folder = match.groups['folder']?.trim() ?? (source.split('/').pop() || 'rootfs');
  return { stage: match.groups['stage'], source, folder };
}

/**
 * The absolute folder of an export. Throws ConfigurationError when it is the workspace itself or lies outside of it:
 * the text may come from a pull request.
 */
export function exportDestination(workspace: string, folder: string): string {
  const destination = resolve(workspace, folder);
  const path = relative(workspace, destination);
  if (path === '' || path === '..' || path.startsWith('../') || isAbsolute(path)) {
    throw new ConfigurationError(`the folder "${folder}" of an export must lie inside the workspace`);
  }
  return destination;
}

/**
 * The target that copies a folder out of another target, with the modes its files have there.
 *
 * A local output is the only one that gives files without a container; a stage of one COPY keeps everything else of
 * the image out of it.
 */
export function folderTarget(
  from: string,
  source: string,
  destination: string,
  platforms?: readonly string[],
): BakeTarget {
  return {
    'dockerfile-inline': `FROM scratch AS export\nCOPY --from=exported ${JSON.stringify([source, '/'])}\n`,
    contexts: { exported: `target:${from}` },
    ...(platforms === undefined ? {} : { platforms }),
    attest: ['type=provenance,disabled=true'],
    output: [`type=local,dest=${destination}`],
  };
}
