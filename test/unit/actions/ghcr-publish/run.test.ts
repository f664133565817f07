import { describe, expect, test } from 'vitest';
import { createArtifactService } from '../../../../src/core/handoff/artifact-service.ts';
import { saveBuildRecord } from '../../../../src/core/handoff/build-record.ts';
import { parseRows } from '../../../../src/core/images/row.ts';
import { digestOf } from '../../../../src/core/registry/manifest.ts';
import { ActionFailure } from '../../../../src/core/runner/run-action.ts';
import { listen, type Standin } from '../../../harness/standins/listening-server.ts';
import { startResultsService } from '../../../harness/standins/results-service.ts';
import { startRegistry } from '../../core/registry/registry-server.ts';
import { storeIndex } from '../../core/registry/store-index.ts';
import { build, publish } from './publish-step.ts';

describe('ghcr-publish', () => {
  test('puts the builds of a matrix together and names each variant, most specific tags first', async () => {
    await using registry = await startRegistry();
    await using results = await startResultsService();
    const environment = results.environment();
    const matrix = JSON.stringify({
      include: [
        { image: 'app', variant: '', platform: 'linux/amd64' },
        { image: 'app', variant: '', platform: 'linux/arm64' },
        { image: 'app', variant: 'gpu', platform: 'linux/amd64' },
      ],
    });
    for (const row of parseRows(matrix)) {
      const built = await build([row.platform], row.id);
      const digest = storeIndex(registry, 'acme/app', built);
      const { mediaType, size } = built.manifest;
      const record = { version: 1, row, repository: `${registry.host}/acme/app`, digest, mediaType, size } as const;
      await saveBuildRecord(record, createArtifactService(environment));
    }
    const order: string[] = [];
    registry.onTag = (name) => order.push(name);
    const name = `${registry.host}/acme/app`;
    const tags = JSON.stringify({
      tags: ['latest', '1.2', '1.2.3'].flatMap((tag) => [`${name}:${tag}`, `${name}:${tag}-gpu`]),
    });

    const { outputs, summary } = await publish({ from: 'builds', matrix, tags }, { environment });

    expect(order).toEqual(
      ['1.2.3', '1.2.3-gpu', '1.2', '1.2-gpu', 'latest', 'latest-gpu'].map((tag) => `acme/app:${tag}`),
    );
    const stored = registry.repository('acme/app');
    const index = JSON.parse(stored.manifests.get(stored.tags.get('1.2.3') ?? '')?.bytes.toString() ?? '');
    expect(index.manifests).toHaveLength(4);
    expect(index.annotations['org.opencontainers.image.source']).toBe('https://github.com/Acme/App');
    expect(outputs.digests).toEqual({ app: { '': stored.tags.get('latest'), gpu: stored.tags.get('latest-gpu') } });
    expect(outputs.published).toMatchObject([
      { platforms: ['linux/amd64', 'linux/arm64'] },
      { variant: 'gpu', platforms: ['linux/amd64'] },
    ]);
    expect(summary).toMatch(
      /\| <code>gpu<\/code> \| <code>1\.2\.3-gpu<\/code>, <code>1\.2-gpu<\/code>, <code>latest-gpu<\/code> \|/,
    );

    // Again: nothing is written.
    order.length = 0;
    const before = registry.requests.length;
    const again = await publish({ from: 'builds', matrix, tags }, { environment });
    expect(again.outputs.digests).toEqual(outputs.digests);
    expect(order).toEqual([]);
    expect(registry.requests.slice(before).filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
  });

  test('takes matrix-tags as metadata-tags writes them', async () => {
    await using registry = await startRegistry();
    const [cpu, gpu] = [await build(['linux/amd64'], 'cpu'), await build(['linux/amd64'], 'gpu')];
    const [one, other] = [storeIndex(registry, 'acme/worker', cpu), storeIndex(registry, 'acme/worker', gpu)];
    const name = `${registry.host}/acme/worker`;
    const sources = `image=worker,variant=cpu,ref=${name}@${one}\nimage=worker,variant=gpu,platform=linux/amd64,ref=${name}@${other}`;
    const tags = JSON.stringify({
      worker: { cpu: [`${name}:1.0.0`, `${name}:1.0.0-cpu`], gpu: [`${name}:1.0.0-gpu`] },
    });
    await publish({ sources, tags });
    expect(Object.fromEntries(registry.repository('acme/worker').tags)).toEqual({
      '1.0.0': one,
      '1.0.0-cpu': one,
      '1.0.0-gpu': other,
    });
  });

  test('promotes into another repository with its digest, by mounts alone', async () => {
    await using registry = await startRegistry({ users: { bot: { password: 'p', canPush: true } } });
    const digest = storeIndex(registry, 'acme/staging', await build(['linux/amd64', 'linux/arm64'], 'x'), 'sha-1');
    const { outputs } = await publish({
      promote: `${registry.host}/acme/staging:sha-1`,
      tags: `${registry.host}/Acme/Prod:1.0.0\n${registry.host}/acme/prod:latest`,
      registry: registry.host,
      username: 'bot',
      password: 'p',
    });
    expect(outputs.digest).toBe(digest);
    expect(outputs.tags).toBe(`${registry.host}/acme/prod:1.0.0\n${registry.host}/acme/prod:latest`);
    expect(registry.repository('acme/prod').tags.get('latest')).toBe(digest);
    expect(registry.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/blobs/'))).toEqual([]);
  });

  test('streams blobs to another registry', async () => {
    await using from = await startRegistry();
    await using to = await startRegistry();
    const digest = storeIndex(from, 'acme/app', await build(['linux/amd64'], 'x'), 'edge');
    await publish({ promote: `${from.host}/acme/app:edge`, tags: `${to.host}/acme/app:1` });
    expect(to.repository('acme/app').tags.get('1')).toBe(digest);
  });

  test('waits for a registry that answers old for a while', async () => {
    await using registry = await startRegistry();
    const [old, fresh] = [await build(['linux/amd64'], 'old'), await build(['linux/amd64'], 'new')];
    storeIndex(registry, 'acme/app', old, 'latest');
    const digest = storeIndex(registry, 'acme/app', fresh, 'edge');
    registry.staleReads = 2;
    const { outputs, log } = await publish({
      promote: `${registry.host}/acme/app:edge`,
      tags: `${registry.host}/acme/app:latest`,
    });
    expect(outputs.digest).toBe(digest);
    expect(log.lines.join('\n')).toContain('the registry is given time');
  });

  test('leaves immutable tags, and moving ones that would go back, and says why', async () => {
    await using registry = await startRegistry();
    const label = (version: string) => ({ 'org.opencontainers.image.version': version });
    const newer = storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'new', label('2.0.0')), 'latest');
    registry.repository('acme/app').tags.set('1.0.5', newer);
    const digest = storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'old', label('1.0.5')), 'build');
    const name = `${registry.host}/acme/app`;
    const { outputs, summary } = await publish({
      promote: `${name}:build`,
      tags: `${name}:latest,${name}:1.0.5,${name}:1.0`,
    });
    expect(outputs.skipped).toMatchObject([
      { tag: `${name}:1.0.5`, reason: expect.stringContaining('immutable'), digest: newer },
      { tag: `${name}:latest`, reason: expect.stringContaining('2.0.0, which is higher') },
    ]);
    expect(registry.repository('acme/app').tags.get('1.0')).toBe(digest);
    expect(summary).toContain('Left as they were');

    await publish({ promote: `${name}:build`, tags: `${name}:latest`, 'latest-guard': 'false' });
    expect(registry.repository('acme/app').tags.get('latest')).toBe(digest);
  });

  test.each([
    ['ahead', false],
    ['behind', true],
    ['diverged', true],
  ])('asks GitHub for the order of commits: %s', async (status, isMoved) => {
    await using registry = await startRegistry();
    await using api: Standin = await listen(() => ({ status: 200, body: JSON.stringify({ status }) }));
    const label = (digit: string) => ({ 'org.opencontainers.image.revision': digit.repeat(40) });
    storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'a', label('1')), 'main');
    const digest = storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'b', label('2')), 'build');
    const name = `${registry.host}/acme/app`;
    await publish({ promote: `${name}:build`, tags: `${name}:main` }, { api: api.url });
    expect(api.requests[0]?.path).toContain(`/repos/Acme/App/compare/${'2'.repeat(40)}...${'1'.repeat(40)}`);
    expect(registry.repository('acme/app').tags.get('main') === digest).toBe(isMoved);
  });

  test('writes no tag when a manifest cannot be placed, and none after one that fails', async () => {
    await using registry = await startRegistry();
    storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'x'), 'build');
    const name = `${registry.host}/acme/app`;
    registry.fail({ status: 400, match: /^PUT .*manifests\/1\.2$/, body: '{"errors":[{"code":"TAG_INVALID"}]}' });
    const publishing = publish({ promote: `${name}:build`, tags: `${name}:latest,${name}:1.2,${name}:1.2.3` });
    const failure = await publishing.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ActionFailure);
    expect(String(failure)).toContain('TAG_INVALID');
    expect([...registry.repository('acme/app').tags.keys()]).toEqual(['build', '1.2.3']);

    await publish({ promote: `${name}:build`, tags: `${name}:latest,${name}:1.2,${name}:1.2.3` });
    expect([...registry.repository('acme/app').tags.keys()]).toEqual(['build', '1.2.3', '1.2', 'latest']);
  });

  test('cut off at any request, it leaves no moving tag ahead of the version, and the next run ends it', {
    timeout: 60_000,
  }, async () => {
    for (let requests = 0, isDone = false; !isDone; requests += 1) {
      await using registry = await startRegistry();
      const old = storeIndex(registry, 'acme/prod', await build(['linux/amd64'], 'old'), 'latest');
      const digest = storeIndex(registry, 'acme/staging', await build(['linux/amd64'], 'new'), 'edge');
      const [from, to] = [`${registry.host}/acme/staging`, `${registry.host}/acme/prod`];
      const given = { promote: `${from}:edge`, tags: `${to}:latest,${to}:1.2,${to}:1.2.3` };
      registry.faults.add({
        fault: { kind: 'status', status: 400 },
        after: requests,
        times: Number.POSITIVE_INFINITY,
      });
      isDone = await publish(given, { settle: 1 }).then(
        () => true,
        () => false,
      );
      const { tags } = registry.repository('acme/prod');
      const written = ['1.2.3', '1.2', 'latest'].map((tag) => tags.get(tag) === digest);
      expect(written.toSorted().toReversed()).toEqual(written);
      expect([old, digest]).toContain(tags.get('latest'));

      registry.faults.clear();
      await publish(given, { settle: 1 });
      expect(['1.2.3', '1.2', 'latest'].map((tag) => tags.get(tag))).toEqual([digest, digest, digest]);
    }
  });

  test('names nothing when the release is not whole', async () => {
    await using registry = await startRegistry();
    storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'x'), 'build');
    const name = `${registry.host}/acme/app`;
    const given = { sources: `${name}:build`, tags: `${name}:1` };
    await expect(publish({ ...given, expect: 'linux/amd64, linux/arm64' })).rejects.toThrow(
      'missing: the image for linux/arm64',
    );
    await expect(publish({ ...given, expect: 'gpu=linux/amd64' })).rejects.toThrow(
      'missing: variant gpu for linux/amd64',
    );
    const matrix = JSON.stringify([{ image: 'app', platform: 'linux/arm64' }]);
    await expect(publish({ sources: `image=app,ref=${name}:build`, tags: `${name}:1`, matrix })).rejects.toThrow(
      'app for linux/arm64',
    );
    await expect(publish({ ...given, 'unknown-platforms': 'reject' })).rejects.toThrow('unknown/unknown');
    expect(registry.requests.every(({ method }) => method === 'GET' || method === 'HEAD')).toBe(true);
  });

  test('a dry run says what it would do and writes nothing', async () => {
    await using registry = await startRegistry();
    storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'x'), 'build');
    const name = `${registry.host}/acme/app`;
    const { summary, log } = await publish({
      promote: `${name}:build`,
      tags: `${name}:1`,
      'dry-run': 'true',
      annotations: 'a=b',
    });
    expect(summary).toContain('## Dry run: would publish 1 image');
    expect(log.lines.join('\n')).toContain('acme/app:1: would name sha256:');
    expect(registry.requests.every(({ method }) => method === 'GET' || method === 'HEAD')).toBe(true);
  });

  test('sends the workflow token to no other registry', async () => {
    await using registry = await startRegistry({ users: { octocat: { password: 'ghs_token', canPush: true } } });
    const name = `${registry.host}/acme/app`;
    const given = { promote: `${name}:build`, tags: `${name}:1`, registry: registry.host, username: 'octocat' };
    const publishing = publish({ ...given, password: 'ghs_token', 'github-token': 'ghs_token' });
    await expect(publishing).rejects.toThrow('Give "username" and "password"');
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['no source', { tags: 'ghcr.io/a/b:1' }, 'exactly one of'],
    ['two sources', { tags: 'ghcr.io/a/b:1', promote: 'ghcr.io/a/b:x', sources: 'ghcr.io/a/b:y' }, 'exactly one of'],
    ['builds without rows', { tags: 'ghcr.io/a/b:1', from: 'builds' }, 'needs the input "matrix"'],
    ['no tags', { promote: 'ghcr.io/a/b:x' }, 'has no tag for the image'],
    [
      'a bare tag without a repository',
      { promote: 'ghcr.io/a/b:x', tags: '1.2' },
      '"1.2" in input "tags" has no repository',
    ],
    ['a reference without a tag', { promote: 'ghcr.io/a/b:x', tags: 'ghcr.io/a/b' }, 'must name a tag'],
    [
      'a source of an unknown key',
      { sources: 'img=x,ref=ghcr.io/a/b', tags: 'ghcr.io/a/b:1' },
      'input "sources", line 1',
    ],
    ['JSON that is none', { promote: 'ghcr.io/a/b:x', tags: '{' }, 'starts like JSON'],
    [
      'an annotation without a value',
      { promote: 'ghcr.io/a/b:x', tags: 'ghcr.io/a/b:1', annotations: 'x' },
      'is no key=value',
    ],
    [
      'a tag that no variant has',
      { sources: 'variant=cpu,ref=ghcr.io/a/b:c\nvariant=gpu,ref=ghcr.io/a/b:g', tags: 'ghcr.io/a/b:1' },
      'belongs to none of cpu, gpu',
    ],
  ])('explains %s', async (_what, inputs, message) => {
    await expect(publish(inputs)).rejects.toThrow(message);
  });

  test('takes digests alone, and bare tags with images', async () => {
    await using registry = await startRegistry();
    const digest = storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'x'));
    await publish({ sources: digest, images: `${registry.host}/acme/{image}app`, tags: '1.0.0\n1.0' });
    expect([...registry.repository('acme/app').tags]).toEqual([
      ['1.0.0', digest],
      ['1.0', digest],
    ]);
    expect(digestOf(registry.repository('acme/app').manifests.get(digest)?.bytes ?? Buffer.alloc(0))).toBe(digest);
  });
});
