import { describe, expect, test } from 'vitest';
import { type ArtifactService, createArtifactService } from '../../../../src/core/handoff/artifact-service.ts';
import { type BuildRecord, readBuildRecords, saveBuildRecord } from '../../../../src/core/handoff/build-record.ts';
import { writeZip } from '../../../../src/core/handoff/stored-zip.ts';
import { parseRow, type Row } from '../../../../src/core/images/row.ts';
import { ConfigurationError } from '../../../../src/core/runner/errors.ts';
import { startResultsService } from '../../../harness/standins/results-service.ts';

const row = (image: string, variant = '', platform = 'linux/amd64'): Row =>
  parseRow(JSON.stringify({ image, variant, platform }));

const record = (of: Row, digit = 'a'): BuildRecord => ({
  version: 1,
  row: of,
  repository: 'ghcr.io/acme/app',
  digest: `sha256:${digit.repeat(64)}`,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  size: 856,
});

/** Writes a file of any content where a record is expected. */
async function plant(service: ArtifactService, of: Row, content: unknown): Promise<void> {
  await service.upload(
    `slipway-build-${of.id}`,
    writeZip({ name: 'build.json', bytes: Buffer.from(JSON.stringify(content)) }),
  );
}

describe('build records', () => {
  test('go from the jobs of a matrix to the job that publishes, in the order of the rows', async () => {
    await using results = await startResultsService();
    const rows = [row('worker'), row('worker', 'gpu'), row('api', '', 'linux/arm64')];
    for (const [index, one] of rows.entries()) {
      const job = createArtifactService(results.environment({ jobId: `build-${index}` }));
      await saveBuildRecord(record(one, String(index)), job);
    }
    const publisher = createArtifactService(results.environment({ jobId: 'publish' }));

    expect(await readBuildRecords(publisher, rows)).toEqual(rows.map((one, index) => record(one, String(index))));
    expect(results.artifacts().map(({ name }) => name)).toEqual([
      'slipway-build-worker-linux-amd64',
      'slipway-build-worker-gpu-linux-amd64',
      'slipway-build-api-linux-arm64',
    ]);
  });

  test('of a row that was built again win over the older ones', async () => {
    await using results = await startResultsService();
    const service = createArtifactService(results.environment());
    for (const digit of ['1', '2', '3']) await saveBuildRecord(record(row('worker'), digit), service);

    expect(await readBuildRecords(service, [row('worker')])).toEqual([record(row('worker'), '3')]);
  });

  test('are found by the id alone, which is all that a row knows of its parents', async () => {
    await using results = await startResultsService();
    const service = createArtifactService(results.environment());
    await saveBuildRecord(record(row('base')), service);

    expect(await readBuildRecords(service, [{ id: 'base-linux-amd64' }])).toEqual([record(row('base'))]);
    await expect(readBuildRecords(service, [{ id: 'base-linux-amd64', platform: 'linux/arm64' }])).rejects.toThrow(
      'is no record of the row',
    );
  });

  test('that are missing are listed by row', async () => {
    await using results = await startResultsService();
    const service = createArtifactService(results.environment());
    await saveBuildRecord(record(row('worker')), service);

    const reading = readBuildRecords(service, [row('worker'), row('worker', 'gpu'), row('api')]);
    await expect(reading).rejects.toThrow(/2 of 3 rows left no build.*worker-gpu-linux-amd64, api-linux-amd64/);
    await expect(reading).rejects.toThrow(ConfigurationError);
  });

  test('of another run are not seen', async () => {
    await using results = await startResultsService();
    await saveBuildRecord(record(row('worker')), createArtifactService(results.environment({ runId: 'other' })));
    const service = createArtifactService(results.environment({ runId: 'this' }));
    await expect(readBuildRecords(service, [row('worker')])).rejects.toThrow('left no build');
  });

  test('get through a service that fails at first', async () => {
    await using results = await startResultsService();
    results.faults.add({ fault: { kind: 'reset', when: 'before' }, match: /CreateArtifact/ });
    results.fail({ status: 503, match: /^PUT / });
    results.faults.add({ fault: { kind: 'reset', when: 'after' }, match: /FinalizeArtifact/ });
    const service = createArtifactService(results.environment());
    await saveBuildRecord(record(row('worker')), service);
    expect(await readBuildRecords(service, [row('worker')])).toEqual([record(row('worker'))]);
  });

  test('survive a lost answer to the creation: the next name is taken', async () => {
    await using results = await startResultsService();
    results.faults.add({ fault: { kind: 'reset', when: 'after' }, match: /CreateArtifact/ });
    const service = createArtifactService(results.environment());
    await saveBuildRecord(record(row('worker')), service);
    expect(await readBuildRecords(service, [row('worker')])).toEqual([record(row('worker'))]);
  });

  const worker = row('worker');
  test.each<[string, unknown, string]>([
    ['of another row', record(row('api')), 'is of the row "api-linux-amd64"'],
    ['of a later version', { ...record(worker), version: 2 }, 'version is 2'],
    ['with a digest that is a path', { ...record(worker), digest: '../../x' }, 'no digest'],
    ['with another kind of content', { ...record(worker), mediaType: 'text/html' }, 'no media type'],
    ['with a repository that is none', { ...record(worker), repository: 'ghcr.io/../x' }, 'names no repository'],
    ['with a negative size', { ...record(worker), size: -1 }, 'no size'],
    ['that is a list', [], 'version'],
    ['that is huge', 'x'.repeat(300_000), 'larger than'],
  ])('%s are refused', async (_what, content, message) => {
    await using results = await startResultsService();
    const service = createArtifactService(results.environment());
    await plant(service, worker, content);
    await expect(readBuildRecords(service, [worker])).rejects.toThrow(message);
  });

  test('ask for "sources" where the runner has no artifact service', () => {
    expect(() => createArtifactService({ ACTIONS_RUNTIME_TOKEN: 'x.y.z' })).toThrow(/"sources"/);
  });
});
