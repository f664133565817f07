import { readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Expectation } from '../../core/models/manifest/expected-file.ts';
import { parseManifest } from '../../core/models/manifest/parse-manifest.ts';
import { selectModels } from '../../core/models/select-models.ts';
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
