import { describe, expect, test } from 'vitest';
import { createArtifactService } from '../../src/core/handoff/artifact-service.ts';
import { saveBuildRecord } from '../../src/core/handoff/build-record.ts';
import { parseRows } from '../../src/core/images/row.ts';
import { INPUTS_LABEL, isInputsTag } from '../../src/core/registry/inputs-tag.ts';
import { OCI_INDEX } from '../../src/core/registry/media-types.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { type FaultProxy, startFaultProxy } from '../harness/standins/fault-proxy.ts';
import { type ResultsService, startResultsService } from '../harness/standins/results-service.ts';
import { publish } from '../unit/actions/ghcr-publish/publish-step.ts';
import { temporaryFolder } from '../unit/core/registry/oci-layout.ts';
import { makeStepFolder, startAction } from './action-process.ts';
import { missingParts, nameDigest, pushBuilt } from './published-images.ts';
import { serviceAddress } from './service-address.ts';

const registry = serviceAddress('SLIPWAY_REGISTRY');
const client = createRegistryClient();
const TAGS = ['1.2.3', '1.2', 'latest'];
const FOR_EVER = Number.POSITIVE_INFINITY;
/** Some seventy processes, each of which reads all sources anew: a minute, and more where others work too. */
const TIMEOUT = 900_000;

/** A release of two rows, built in one repository and published in another that has an older one. */
async function prepare(number: number, host: string, results: ResultsService) {
  const rows = parseRows(
    JSON.stringify(
      ['linux/amd64', 'linux/arm64'].map((platform, index) => {
        return { image: 'app', platform, inputs: String(index).repeat(64) };
      }),
    ),
  );
  for (const row of rows) {
    const labels = { [INPUTS_LABEL]: row.inputs };
    const digest = await pushBuilt(client, `${registry}/cut-off/builds`, row.platform, `new ${row.platform}`, labels);
    const manifest = { mediaType: OCI_INDEX, size: 1 };
    const record = { version: 1, row, repository: `${host}/cut-off/builds`, digest, ...manifest } as const;
    await saveBuildRecord(record, createArtifactService(results.environment()));
  }
  const target = { registry, name: `cut-off/app-${number}` };
  const old = await pushBuilt(client, `${registry}/${target.name}`, 'linux/amd64', 'old');
  for (const tag of ['1.2', 'latest']) await nameDigest(client, `${registry}/${target.name}`, old, tag);
  const inputs = {
    from: 'builds',
    matrix: JSON.stringify(rows),
    tags: TAGS.map((tag) => `${host}/${target.name}:${tag}`).join('\n'),
  };
  return { target, old, inputs };
}

/** Runs the action, and kills it the moment it sends one request more than these; true when it came to its end. */
async function runUntil(
  requests: number,
  inputs: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
  proxy: FaultProxy,
): Promise<boolean> {
  await using folder = await temporaryFolder();
  const step = await makeStepFolder(folder.path);
  proxy.faults.add({ fault: { kind: 'stall' }, after: requests, times: FOR_EVER });
  const { child, ended } = startAction('ghcr-publish', inputs, { ...environment, ...step.environment });
  const watch = setInterval(() => {
    if (proxy.requests.length > requests) child.kill('SIGKILL');
  }, 5);
  const { exitCode, log } = await ended;
  clearInterval(watch);
  if (exitCode !== null && exitCode !== 0) throw new Error(`it failed by itself: ${log}`);
  return exitCode === 0;
}

describe('a publisher that is killed', () => {
  test('at any of its requests, leaves every tag at a whole image and none ahead of the version; the next one ends it', {
    timeout: TIMEOUT,
  }, async () => {
    let isDone = false;
    let kills = 0;
    for (let requests = 0; !isDone; requests += 1) {
      await using results = await startResultsService();
      const environment = results.environment();
      await using proxy = await startFaultProxy({ upstream: `http://${registry}` });
      const { target, old, inputs } = await prepare(requests, new URL(proxy.url).host, results);
      isDone = await runUntil(requests, inputs, environment, proxy);
      kills += isDone ? 0 : 1;

      const named = await Promise.all(TAGS.map((tag) => client.findDigest(target, tag)));
      const isNew = named.map((digest) => digest !== undefined && digest !== old);
      // Most specific first: once a tag is as it was, so are all that come after it.
      expect(isNew.toSorted().toReversed(), `after ${requests} requests`).toEqual(isNew);
      for (const tag of await client.listTags(target)) {
        const digest = await client.findDigest(target, tag);
        expect(digest === undefined ? [tag] : await missingParts(client, target, digest), tag).toEqual([]);
      }

      proxy.faults.clear();
      const { outputs } = await publish(inputs, { environment });
      const ends = await Promise.all(TAGS.map((tag) => client.findDigest(target, tag)));
      expect(ends).toEqual(TAGS.map(() => outputs.digest));
      expect(await missingParts(client, target, String(outputs.digest))).toEqual([]);
      expect((await client.listTags(target)).filter(isInputsTag)).toHaveLength(2);
    }
    expect(kills).toBeGreaterThan(30);
  });

  test('two publishers at once leave every tag at the whole image of the later version', async () => {
    const label = (version: string) => ({ 'org.opencontainers.image.version': version });
    for (let round = 0; round < 5; round += 1) {
      const name = `${registry}/cut-off/race-${round}`;
      const older = await pushBuilt(client, name, 'linux/amd64', `older ${round}`, label('1.0.0'));
      const later = await pushBuilt(client, name, 'linux/amd64', `later ${round}`, label('1.1.0'));
      const tags = ['latest', '1', 'main'].map((tag) => `${name}:${tag}`).join('\n');
      const outcomes = [older, later].map((digest) => publish({ promote: `${name}@${digest}`, tags }, { settle: 300 }));
      await Promise.all(outcomes);
      for (const tag of ['latest', '1', 'main'])
        expect(await client.findDigest({ registry, name: `cut-off/race-${round}` }, tag)).toBe(later);
    }
  });
});
