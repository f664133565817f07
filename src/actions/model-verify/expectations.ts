import type { Expectation } from '../../core/models/manifest/expected-file.ts';
import { checkInside, selectModels } from '../../core/models/select-models.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { contract } from './contract.ts';
import type { TrackedFolder } from './tracked-folders.ts';

type Inputs = InputsOf<typeof contract>;

/**
 * The files to verify, relative to `root`: those that the inputs select, or all that manifests list, which may not be
 * there; reading them finds that. Of a tracked folder all files are read as soon as one is selected: its digest is one of
 * all. Throws ConfigurationError for a file behind a link that leads out, at its manifest's line.
 */
export function choosePaths(
  inputs: Inputs,
  root: string,
  listed: readonly Expectation[],
  folders: readonly TrackedFolder[],
): readonly string[] {
  const patterns = [
    ...inputs.models.map((line) => line.trim()).filter((line) => line !== ''),
    ...(inputs.row?.models ?? []),
  ];
  if (patterns.length > 0 || inputs.row !== undefined) {
    const selected = new Set(selectModels(root, patterns));
    const whole = folders.flatMap(({ files = [] }) => (files.some((path) => selected.has(path)) ? files : []));
    return [...new Set([...selected, ...whole])].sort();
  }
  if (listed.length === 0 && folders.length === 0)
    throw new ConfigurationError('nothing says what to verify: give "models", "manifest" or "row"');
  for (const { path, manifest, line } of listed) checkInside(root, path, { file: manifest, line });
  return [...new Set(listed.map(({ path }) => path))].sort();
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
