import { createArtifactService } from '../../core/handoff/artifact-service.ts';
import { readBuildRecords } from '../../core/handoff/build-record.ts';
import type { Repository } from '../../core/registry/reference.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { PublishInputs } from './contract.ts';
import { parseSources, type Release, releasesOfBuilds } from './releases.ts';

/**
 * What is to be named, from the one of `from`, `sources` and `promote` that says it. Throws ConfigurationError for none,
 * for more than one, and for builds that are not there.
 */
export async function findReleases(
  inputs: Pick<PublishInputs, 'from' | 'matrix' | 'sources' | 'promote'>,
  registry: string,
  home: (image: string) => Repository,
  { environment, log }: Pick<ActionContext, 'environment' | 'log'>,
): Promise<readonly Release[]> {
  const sources = parseSources(inputs.sources, { input: 'sources', registry, home });
  const promoted = parseSources(inputs.promote, { input: 'promote', registry, home });
  const given = [inputs.from !== undefined, sources.length > 0, promoted.length > 0].filter((isGiven) => isGiven);
  if (given.length !== 1) throw new ConfigurationError('give exactly one of "from: builds", "sources" and "promote"');
  if (sources.length > 0) return sources;
  if (promoted.length > 0) {
    if (promoted.every((release) => release.sources.length === 1)) return promoted;
    throw new ConfigurationError(
      'input "promote" gives two images the same names; tell them apart by image= or variant=',
    );
  }
  if (inputs.matrix === undefined || inputs.matrix.length === 0) {
    throw new ConfigurationError('"from: builds" needs the input "matrix": the rows whose builds are published');
  }
  return releasesOfBuilds(await readBuildRecords(createArtifactService(environment, log), inputs.matrix));
}
