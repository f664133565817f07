import { readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Expectation } from '../../core/models/manifest/expected-file.ts';
import { parseManifest } from '../../core/models/manifest/parse-manifest.ts';
import { checkInside, selectModels } from '../../core/models/select-models.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { contract } from './contract.ts';

type Inputs = InputsOf<typeof contract>;

const MAX_MANIFEST = 16 * 1024 * 1024;

/**
 * What the manifests say. Paths are relative to the workspace or, where an image's folder is verified, to that folder.
 * Throws ConfigurationError for a manifest that cannot be read.
 */
export function readManifests(inputs: Inputs, workspace: string): readonly Expectation[] {
  return selectModels(workspace, inputs.manifest).flatMap((manifest) => {
    const file = join(workspace, manifest);
    if (statSync(file).size > MAX_MANIFEST)
      throw new ConfigurationError(`input "manifest": "${manifest}" is larger than any manifest`);
    const folder = inputs.image === undefined ? posix.dirname(manifest) : '.';
    return parseManifest(readFileSync(file, 'utf8'), manifest).map((entry) => ({
      ...entry,
      manifest,
      path: posix.join(folder, entry.path),
    }));
  });
}

/**
 * The files to verify, relative to `root`. Throws ConfigurationError for a model that is not there, at its manifest's line.
 */
export function choosePaths(inputs: Inputs, root: string, listed: readonly Expectation[]): readonly string[] {
  const patterns = [
    ...inputs.models.map((line) => line.trim()).filter((line) => line !== ''),
    ...(inputs.row?.models ?? []),
  ];
  if (patterns.length > 0 || inputs.row !== undefined) return selectModels(root, patterns);
  if (listed.length === 0)
    throw new ConfigurationError('nothing says what to verify: give "models", "manifest" or "row"');
  return [...new Set(listed.map((each) => findListed(root, each)))].sort();
}

function findListed(root: string, { path, manifest, line, url }: Expectation): string {
  if (statSync(join(root, path), { throwIfNoEntry: false })?.isFile() !== true) {
    const fix = url === undefined ? '' : '; it has a "url", but "fetch" is "never"';
    throw new ConfigurationError(`"${path}" is listed in "${manifest}" but is not there${fix}`, {
      file: manifest,
      line,
    });
  }
  checkInside(root, path);
  return path;
}

/** The expectation that the input `sha256` states of the one model that is selected. */
export function expectSingle(sha256: string | undefined, paths: readonly string[]): readonly Expectation[] {
  if (sha256 === undefined) return [];
  const hex = sha256.replace(/^sha256:/i, '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new ConfigurationError(`input "sha256": "${sha256.slice(0, 80)}" is no SHA-256 in hex`);
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0) {
    throw new ConfigurationError(`input "sha256" is for one model, but ${paths.length} are selected; use "manifest"`);
  }
  return [{ path, digest: { algorithm: 'sha256', hex }, line: 0, manifest: '' }];
}
