import { createArtifactService } from '../../core/handoff/artifact-service.ts';
import { readBuildRecords } from '../../core/handoff/build-record.ts';
import type { Row } from '../../core/images/row.ts';
import type { Repository } from '../../core/registry/reference.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { PublishInputs } from './contract.ts';
import { parseSources, releasesOfRows, type WantedRelease } from './releases.ts';

/** The value of `promote` that stands for the rows of `matrix`, found by what they are made of. */
const BY_INPUTS = 'inputs';

/**
 * What is to be named, from the one of `from`, `sources`, `local` and `promote` that says it; nothing when none does.
 * Throws ConfigurationError for more than one, and for builds that are not there.
 */
export async function findReleases(
  inputs: Pick<PublishInputs, 'from' | 'matrix' | 'sources' | 'local' | 'promote'>,
  registry: string,
  home: (image: string) => Repository,
  context: Pick<ActionContext, 'environment' | 'log'>,
): Promise<readonly WantedRelease[]> {
  const isByInputs = inputs.promote.join('').trim() === BY_INPUTS;
  const sources = parseSources(inputs.sources, { input: 'sources', registry, home });
  const local = parseSources(inputs.local, { input: 'local', registry, home });
  const promoted = isByInputs ? [] : parseSources(inputs.promote, { input: 'promote', registry, home });
  const isGiven = [
    inputs.from !== undefined,
    isByInputs,
    ...[sources, local, promoted].map(({ length }) => length > 0),
  ];
  if (isGiven.filter((given) => given).length > 1)
    throw new ConfigurationError('give exactly one of "from: builds", "sources", "local" and "promote"');
  if (inputs.from === 'builds') return findBuilds(rowsOf(inputs, '"from: builds"'), context);
  if (isByInputs) return findPromoted(rowsOf(inputs, '"promote: inputs"'));
  if (promoted.every((release) => release.sources.length === 1)) return [...sources, ...local, ...promoted];
  throw new ConfigurationError(
    'input "promote" gives two images the same names; tell them apart by image= or variant=',
  );
}

function rowsOf({ matrix }: Pick<PublishInputs, 'matrix'>, what: string): readonly Row[] {
  if (matrix !== undefined && matrix.length > 0) return matrix;
  throw new ConfigurationError(`${what} needs the input "matrix": the rows whose images are published`);
}

/** Rows whose image exists already were not built in this run: they are found by their inputs. */
async function findBuilds(
  rows: readonly Row[],
  { environment, log }: Pick<ActionContext, 'environment' | 'log'>,
): Promise<readonly WantedRelease[]> {
  const built = rows.filter((row) => !row.exists);
  checkInputsTold(rows.filter((row) => row.exists));
  const records = built.length === 0 ? [] : await readBuildRecords(createArtifactService(environment, log), built);
  return releasesOfRows(rows, new Map(records.map((record) => [record.row.id, record])));
}

function findPromoted(rows: readonly Row[]): readonly WantedRelease[] {
  checkInputsTold(rows);
  return releasesOfRows(rows, new Map());
}

function checkInputsTold(rows: readonly Row[]): void {
  const unknown = rows.filter(({ inputs }) => inputs === '').map(({ id }) => id);
  if (unknown.length === 0) return;
  throw new ConfigurationError(
    `rows of build-matrix are found by their inputs, and these tell none: ${unknown.join(', ')}`,
  );
}
