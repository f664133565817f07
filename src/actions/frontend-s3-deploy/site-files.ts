import { join } from 'node:path';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import { compressFiles } from '../../core/site/compress-files.ts';
import { hashFiles } from '../../core/site/file-digests.ts';
import { applyHeaderRules } from '../../core/site/file-headers.ts';
import { addAliases, planAliases } from '../../core/site/page-aliases.ts';
import { compileGlobs, compileSelection } from '../../core/site/path-globs.ts';
import { placePrecompressed } from '../../core/site/precompressed.ts';
import type { SiteFile } from '../../core/site/site-file.ts';
import { findProblems } from '../../core/site/source-checks.ts';
import { readSourceFolder } from '../../core/site/source-folder.ts';
import type { contract } from './contract.ts';
import { type Source, sourceFolder } from './source.ts';

const MAX_SHOWN = 20;

/** A source that may be deployed. Only names and sizes were looked at so far. */
export interface CheckedSource {
  /** Reads the contents: the files as they shall be in the bucket. */
  read(): Promise<readonly SiteFile[]>;
}

/**
 * Finds the files of the source, and refuses what could not be served or must not be public. Sends no request to the
 * bucket. Throws ConfigurationError.
 */
export async function checkSource(
  source: Source,
  inputs: InputsOf<typeof contract>,
  prefix: string,
  context: ActionContext,
): Promise<CheckedSource> {
  const access = {
    platform: inputs.platform,
    username: inputs.registryUsername,
    password: inputs.registryPassword,
    limits: { files: inputs.maxFiles, bytes: inputs.maxBytes },
  };
  const folder = await sourceFolder(source, access, context);
  const limits = { maxFiles: inputs.maxFiles, maxBytes: inputs.maxBytes };
  const found = readSourceFolder(folder, compileSelection(inputs.exclude, inputs.include), limits);
  const problems = findProblems(found, prefix, compileGlobs(inputs.forbid));
  if (problems.length > 0) {
    const more = problems.length > MAX_SHOWN ? [`and ${problems.length - MAX_SHOWN} more`] : [];
    throw new ConfigurationError(`input "source": ${[...problems.slice(0, MAX_SHOWN), ...more].join('; ')}`);
  }
  const placed = placePrecompressed(found, inputs.precompressed);
  const aliases = planAliases(
    placed.map(({ path }) => path),
    { hasCleanUrls: inputs.cleanUrls, spaFallback: inputs.spaFallback, prefix },
  );
  return {
    async read() {
      const files = applyHeaderRules(await hashFiles(placed), {
        cache: inputs.cacheControl ?? [],
        headers: inputs.headers ?? [],
        isEntryDocument: compileGlobs(inputs.entryDocuments),
        isEncodedBeside: inputs.precompressed === 'beside',
      });
      const temp = join(context.temp, `compressed-${process.pid}`);
      return addAliases(await compressFiles(files, inputs.compress, temp), aliases);
    },
  };
}
