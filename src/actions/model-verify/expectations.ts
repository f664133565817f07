import { readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseChecksums } from '../../core/models/checksum-manifest.ts';
import type { Expectation } from '../../core/models/judge-models.ts';
import { checkInside, selectModels } from '../../core/models/select-models.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { contract } from './contract.ts';

type Inputs = InputsOf<typeof contract>;

const MAX_MANIFEST = 16 * 1024 * 1024;

/** The files to verify, relative to the workspace, and what the manifests and `sha256` say of them. */
export interface Expectations {
  readonly paths: readonly string[];
  readonly expectations: readonly Expectation[];
}

/**
 * Reads the manifests and resolves what is to be verified.
 * Throws ConfigurationError for a manifest that cannot be read, a model that is not there, and a digest that is none.
 */
export function readExpectations(inputs: Inputs, workspace: string): Expectations {
  const listed = selectModels(workspace, inputs.manifest).flatMap((manifest) => readManifest(workspace, manifest));
  const patterns = [
    ...inputs.models.map((line) => line.trim()).filter((line) => line !== ''),
    ...(inputs.row?.models ?? []),
  ];
  const isChosen = patterns.length > 0 || inputs.row !== undefined;
  const paths = isChosen
    ? selectModels(workspace, patterns)
    : listed.map(({ path }) => findListed(workspace, path, listed));
  if (!isChosen && paths.length === 0) {
    throw new ConfigurationError('nothing says what to verify: give "models", "manifest" or "row"');
  }
  return { paths: [...new Set(paths)], expectations: [...listed, ...single(inputs.sha256, paths)] };
}

function readManifest(workspace: string, manifest: string): readonly Expectation[] {
  const file = join(workspace, manifest);
  if (statSync(file).size > MAX_MANIFEST)
    throw new ConfigurationError(`input "manifest": "${manifest}" is larger than any list of checksums`);
  return parseChecksums(readFileSync(file, 'utf8'), manifest).map((entry) => ({
    ...entry,
    manifest,
    path: posix.join(posix.dirname(manifest), entry.path),
  }));
}

function findListed(workspace: string, path: string, listed: readonly Expectation[]): string {
  const place = listed.find((each) => each.path === path);
  if (statSync(join(workspace, path), { throwIfNoEntry: false })?.isFile() !== true) {
    throw new ConfigurationError(`"${path}" is listed in "${place?.manifest}" but is not there`, {
      ...(place === undefined ? {} : { file: place.manifest, line: place.line }),
    });
  }
  checkInside(workspace, path);
  return path;
}

function single(sha256: string | undefined, paths: readonly string[]): readonly Expectation[] {
  if (sha256 === undefined) return [];
  const digest = sha256.replace(/^sha256:/i, '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new ConfigurationError(`input "sha256": "${sha256.slice(0, 80)}" is no SHA-256 in hex`);
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0) {
    throw new ConfigurationError(`input "sha256" is for one model, but ${paths.length} are selected; use "manifest"`);
  }
  return [{ path, algorithm: 'sha256', digest, line: 0, manifest: '' }];
}
