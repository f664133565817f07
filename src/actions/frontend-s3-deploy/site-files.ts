import { join } from 'node:path';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import { compressFiles } from '../../core/site/compress-files.ts';
import { hashFiles } from '../../core/site/file-digests.ts';
import { applyHeaderRules } from '../../core/site/file-headers.ts';
import { addAliases } from '../../core/site/page-aliases.ts';
import { compileGlobs, compileSelection } from '../../core/site/path-globs.ts';
import { placePrecompressed } from '../../core/site/precompressed.ts';
import type { SiteFile } from '../../core/site/site-file.ts';
import { checkSource } from '../../core/site/source-checks.ts';
import { readSourceFolder } from '../../core/site/source-folder.ts';
import type { contract } from './contract.ts';
import { type Source, sourceFolder } from './source.ts';

const MAX_SHOWN = 20;

/** The files of the source, checked, hashed, and as they shall be in the bucket. Sends no request to it. */
export async function readSite(
  source: Source,
  inputs: InputsOf<typeof contract>,
  prefix: string,
  context: ActionContext,
): Promise<readonly SiteFile[]> {
  const access = {
    platform: inputs.platform,
    username: inputs.registryUsername,
    password: inputs.registryPassword,
    limits: { files: inputs.maxFiles, bytes: inputs.maxBytes },
  };
  const folder = await sourceFolder(source, access, context);
  const limits = { maxFiles: inputs.maxFiles, maxBytes: inputs.maxBytes };
  const found = await readSourceFolder(folder, compileSelection(inputs.exclude, inputs.include), limits);
  const problems = checkSource(found, prefix, compileGlobs(inputs.forbid));
  if (problems.length > 0) {
    const more = problems.length > MAX_SHOWN ? [`and ${problems.length - MAX_SHOWN} more`] : [];
    throw new ConfigurationError(`input "source": ${[...problems.slice(0, MAX_SHOWN), ...more].join('; ')}`);
  }
  const files = applyHeaderRules(await hashFiles(placePrecompressed(found, inputs.precompressed)), {
    cache: inputs.cacheControl ?? [],
    headers: inputs.headers ?? [],
    isEntryDocument: compileGlobs(inputs.entryDocuments),
    isEncodedBeside: inputs.precompressed === 'beside',
  });
  const compressed = await compressFiles(files, inputs.compress, join(context.temp, `compressed-${process.pid}`));
  return addAliases(compressed, { hasCleanUrls: inputs.cleanUrls, spaFallback: inputs.spaFallback });
}
