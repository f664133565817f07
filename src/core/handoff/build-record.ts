import { parseRow, type Row } from '../images/row.ts';
import { eachAtMost } from '../net/bounded-parallel.ts';
import { isIndexType, isManifestType } from '../registry/media-types.ts';
import { formatRepository, isDigest, parseRepository } from '../registry/reference.ts';
import { ConfigurationError, messagesOf } from '../runner/errors.ts';
import { fieldOf } from '../runner/event.ts';
import type { Artifact, ArtifactService } from './artifact-service.ts';
import { readZip, writeZip } from './stored-zip.ts';

/** What one row's build pushed, as its job leaves it to the job that publishes. */
export interface BuildRecord {
  readonly version: 1;
  readonly row: Row;
  /** `host/name` that holds it, without a tag. */
  readonly repository: string;
  readonly digest: string;
  /** Of an image manifest or an index. */
  readonly mediaType: string;
  /** Bytes of the manifest or index itself. */
  readonly size: number;
}

/** A row whose record is asked for. What is not given is not compared. */
export type RecordedRow = Pick<Row, 'id'> & Partial<Pick<Row, 'image' | 'variant' | 'platform'>>;

const PREFIX = 'slipway-build-';
const MAX_RECORD = 256 * 1024;
const MAX_UPLOADS = 50;
const PARALLEL = 8;

/**
 * Leaves a record for the run's publishing job, as an artifact of one small JSON file.
 *
 * A matrix's jobs cannot hand outputs of their own to a later job (actions/runner #2499), and artifacts can be written
 * once: a step that runs again writes `…+2`, and the newest is read. Throws Error when the service does not take it.
 */
export async function saveBuildRecord(record: BuildRecord, service: ArtifactService): Promise<void> {
  const archive = writeZip({ name: 'build.json', bytes: Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`) });
  const name = `${PREFIX}${record.row.id}`;
  for (let upload = 1; upload <= MAX_UPLOADS; upload += 1) {
    if (await service.upload(upload === 1 ? name : `${name}+${upload}`, archive)) return;
  }
  throw new Error(`the run has more than ${MAX_UPLOADS} records of the row "${record.row.id}"`);
}

/**
 * The records of these rows, in the rows' order, of this run and its earlier attempts; of several, the newest.
 *
 * Throws ConfigurationError that lists the rows which left none, Error for a record that is damaged or of another row.
 */
export async function readBuildRecords(
  service: ArtifactService,
  rows: readonly RecordedRow[],
): Promise<readonly BuildRecord[]> {
  const artifacts = newestByRow(await service.list());
  const missing = rows.filter(({ id }) => !artifacts.has(id));
  if (missing.length > 0) {
    throw new ConfigurationError(
      `${missing.length} of ${rows.length} rows left no build in this run: ${missing.map(({ id }) => id).join(', ')}. Their jobs must run multistage-build with "push: by-digest" and succeed before this one ("needs")`,
    );
  }
  const records = new Map<string, BuildRecord>();
  await eachAtMost(PARALLEL, rows, async (row) => {
    const artifact = artifacts.get(row.id);
    if (artifact !== undefined) records.set(row.id, await readRecord(service, artifact, row));
  });
  return rows.flatMap(({ id }) => records.get(id) ?? []);
}

function newestByRow(artifacts: readonly Artifact[]): ReadonlyMap<string, Artifact> {
  const newest = new Map<string, Artifact>();
  for (const artifact of artifacts) {
    if (!artifact.name.startsWith(PREFIX)) continue;
    const [row = ''] = artifact.name.slice(PREFIX.length).split('+');
    const known = newest.get(row);
    if (known === undefined || known.id < artifact.id) newest.set(row, artifact);
  }
  return newest;
}

async function readRecord(service: ArtifactService, artifact: Artifact, row: RecordedRow): Promise<BuildRecord> {
  try {
    const { bytes } = readZip(await service.download(artifact, MAX_RECORD), MAX_RECORD);
    const record = parseRecord(Buffer.from(bytes).toString('utf8'));
    const isSame = (['id', 'image', 'variant', 'platform'] as const).every(
      (field) => row[field] === undefined || record.row[field] === row[field],
    );
    if (!isSame)
      throw new Error(
        `it is of the row "${record.row.id}" (${record.row.image} ${record.row.variant} ${record.row.platform})`,
      );
    return record;
  } catch (cause) {
    throw new Error(`the artifact "${artifact.name}" is no record of the row "${row.id}": ${messagesOf(cause)[0]}`, {
      cause,
    });
  }
}

/** Any job of the run can write an artifact: every field is checked before it reaches a registry's URL. */
function parseRecord(text: string): BuildRecord {
  const document: unknown = JSON.parse(text);
  const version = fieldOf(document, 'version');
  if (version !== 1)
    throw new Error(`its version is ${JSON.stringify(version)?.slice(0, 50)}; this release of the action reads 1`);
  const [repository, digest, mediaType, size] = ['repository', 'digest', 'mediaType', 'size'].map((name) =>
    fieldOf(document, name),
  );
  if (typeof repository !== 'string') throw new Error('it names no repository');
  if (typeof digest !== 'string' || !isDigest(digest)) throw new Error('it has no digest');
  if (typeof mediaType !== 'string' || !(isIndexType(mediaType) || isManifestType(mediaType)))
    throw new Error('it has no media type of an image');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw new Error('it has no size');
  const row = parseRow(JSON.stringify(fieldOf(document, 'row') ?? null));
  return { version, row, repository: formatRepository(parseRepository(repository)), digest, mediaType, size };
}
