import { createArtifactService } from '../../core/handoff/artifact-service.ts';
import { readBuildRecords } from '../../core/handoff/build-record.ts';
import type { Row } from '../../core/images/row.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import { offersArtifacts } from './build-records.ts';

const ROW = 'row:';

/**
 * Rows whose parents an earlier job of this run has pushed by digest (an earlier wave), with those images in the place
 * of `row:<id>`. Parents that are in `rows` are built in one graph with their children and stay as they are.
 *
 * Throws ConfigurationError that names the parents which left no build.
 */
export async function withParentImages(
  rows: readonly Row[] | undefined,
  { environment, log }: Pick<ActionContext, 'environment' | 'log'>,
): Promise<readonly Row[] | undefined> {
  const parents = rows === undefined ? [] : parentsElsewhere(rows);
  if (rows === undefined || parents.length === 0 || !offersArtifacts(environment)) return rows;
  const records = await readBuildRecords(createArtifactService(environment, log), parents);
  const images = new Map(
    records.map(({ row, repository, digest }) => [`${ROW}${row.id}`, `docker-image://${repository}@${digest}`]),
  );
  for (const [row, image] of images) log.info(`${row.slice(ROW.length)}: ${image}, built earlier in this run`);
  return rows.map((row) => ({ ...row, contexts: withImages(row.contexts, images) }));
}

/** A parent has its child's platform (`linkCandidates`). */
function parentsElsewhere(rows: readonly Row[]): readonly Pick<Row, 'id' | 'platform'>[] {
  const here = new Set(rows.map(({ id }) => id));
  const parents = new Map<string, Pick<Row, 'id' | 'platform'>>();
  for (const { contexts, platform } of rows) {
    for (const context of Object.values(contexts)) {
      const id = context.slice(ROW.length);
      if (context.startsWith(ROW) && !here.has(id)) parents.set(id, { id, platform });
    }
  }
  return [...parents.values()];
}

function withImages(contexts: Row['contexts'], images: ReadonlyMap<string, string>): Row['contexts'] {
  return Object.fromEntries(Object.entries(contexts).map(([name, source]) => [name, images.get(source) ?? source]));
}
