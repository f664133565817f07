import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkspace, KEYS, type Workspace } from '../../../harness/site/workspace.ts';
import { type CloudFront, type Distribution, startCloudFront } from '../../../harness/standins/cloudfront.ts';
import { startMemoryS3 } from '../../../harness/standins/memory-s3.ts';

const ID = 'E1A2B3C4D5E6F7';
const byId = { 'distribution-id': ID };
let site: Workspace;

beforeEach(async () => {
  site = await createWorkspace({ 'index.html': 'one', 'about.html': 'about', 'assets/app-1a2b3c4d.js': 'app' });
});
afterEach(() => site[Symbol.asyncDispose]());

const withCloudFront = (service: CloudFront) => ({ ...KEYS, AWS_ENDPOINT_URL_CLOUDFRONT: service.url });
const pathsOf = (service: CloudFront) => service.invalidations.map(({ batch }) => batch.paths);

function start(distributions: readonly Distribution[] = [{ id: ID }], completeAfter = 0): Promise<CloudFront> {
  return startCloudFront({ distributions, completeAfter });
}

describe('invalidation', () => {
  it('names what changed, and nothing when nothing did', async () => {
    await using server = await startMemoryS3();
    await using cloudFront = await start();
    await site.deploy(server.endpoint, byId, withCloudFront(cloudFront));
    await site.write('index.html', 'two');
    const { invalidationId } = await site.outputs(server.endpoint, byId, withCloudFront(cloudFront));
    await site.deploy(server.endpoint, byId, withCloudFront(cloudFront));
    expect(pathsOf(cloudFront)).toEqual([
      ['/about.html', '/index.html', '/'],
      ['/index.html', '/'],
    ]);
    expect(invalidationId).toBe(cloudFront.invalidations[1]?.id);
  });

  it.each([
    ['all', ['/*']],
    ['/api/*, /feed.xml', ['/api/*', '/feed.xml']],
    ['off', undefined],
  ])('of %s names %j', async (invalidate, paths) => {
    await using server = await startMemoryS3();
    await using cloudFront = await start();
    await site.deploy(server.endpoint, { ...byId, invalidate }, withCloudFront(cloudFront));
    expect(pathsOf(cloudFront)).toEqual(paths === undefined ? [] : [paths]);
  });

  it('finds the distribution by its alias on a later page, and knows by its origin what stands before the site', async () => {
    await using server = await startMemoryS3();
    const others = Array.from({ length: 150 }, (_, index) => ({ id: `E${String(index).padStart(9, '0')}` }));
    const wanted = { id: 'EZZZZZZZZZ', aliases: ['www.example.com'], origin: 'b.s3.amazonaws.com', originPath: '/app' };
    await using cloudFront = await start([...others, wanted]);
    const inputs = { 'distribution-alias': 'WWW.example.com', prefix: 'app' };
    await site.deploy(server.endpoint, inputs, withCloudFront(cloudFront));
    expect(cloudFront.invalidations).toMatchObject([
      { distribution: 'EZZZZZZZZZ', batch: { paths: ['/about.html', '/index.html', '/'] } },
    ]);
  });

  it('is refused before anything is written where no distribution has the alias, or both are given', async () => {
    await using server = await startMemoryS3();
    await using cloudFront = await start();
    const variables = withCloudFront(cloudFront);
    const alias = { 'distribution-alias': 'nobody.example.com' };
    await expect(site.deploy(server.endpoint, alias, variables)).rejects.toThrow('has the alias nobody.example.com');
    await expect(site.deploy(server.endpoint, { ...alias, ...byId }, variables)).rejects.toThrow('give one of them');
    expect(server.requests).toEqual([]);
  });

  it('waits until it is completed', async () => {
    await using server = await startMemoryS3();
    await using cloudFront = await start([{ id: ID }], 1500);
    const began = performance.now();
    await site.deploy(server.endpoint, { ...byId, wait: 'true' }, withCloudFront(cloudFront));
    expect(performance.now() - began).toBeGreaterThan(1500);
    expect(cloudFront.requests.filter(({ method }) => method === 'GET').length).toBeGreaterThan(1);
  });

  it("waits for room when others' invalidations fill the quota", async () => {
    await using server = await startMemoryS3();
    await using cloudFront = await start([{ id: ID }], 2500);
    const wildcards = Array.from({ length: 15 }, (_, index) => `/d${index}/*`).join('\n');
    await site.deploy(server.endpoint, { ...byId, invalidate: wildcards }, withCloudFront(cloudFront));
    await site.write('index.html', 'two');
    await site.deploy(server.endpoint, { ...byId, invalidate: '/more/*' }, withCloudFront(cloudFront));
    expect(pathsOf(cloudFront)).toHaveLength(2);
    expect(site.lines.join('\n')).toContain('others are in progress; trying again');
  });

  it.each([
    ['3,001 paths', Array.from({ length: 3001 }, (_, index) => `/${index}.html`).join('\n'), '3000 paths'],
    ['16 wildcards', Array.from({ length: 16 }, (_, index) => `/${index}/*`).join('\n'), '15 wildcards'],
    ['a wildcard inside', '/a/*/b', 'has a * at its end alone'],
    ['a blank', '/a b', 'is percent-encoded'],
    ['a letter beyond ASCII', '/ä', 'is percent-encoded'],
  ])('of %s is refused before the first request', async (_, invalidate, message) => {
    await using server = await startMemoryS3();
    await expect(site.deploy(server.endpoint, { ...byId, invalidate })).rejects.toThrow(message);
    expect(server.requests).toEqual([]);
  });

  it('stays within the limits of CloudFront for a site of 1,000 changed pages', async () => {
    await using server = await startMemoryS3();
    await using cloudFront = await start();
    for (let page = 0; page < 1000; page += 1) await site.write(`p/${page % 40}/${page}.html`, String(page));
    await site.deploy(server.endpoint, byId, withCloudFront(cloudFront));
    expect(pathsOf(cloudFront)).toEqual([['/p/*', '/about.html', '/index.html', '/']]);
  });

  const refusal = (code: string) => `<ErrorResponse><Error><Code>${code}</Code></Error></ErrorResponse>`;
  it.each([
    ['throttling', { kind: 'status', status: 400, body: refusal('Throttling') }],
    ['a rate limit', { kind: 'status', status: 429, body: refusal('TooManyRequests') }],
    ['a service that is away', { kind: 'status', status: 503, body: refusal('ServiceUnavailable') }],
    ['a fault of the service', { kind: 'status', status: 500, body: refusal('InternalError') }],
    ['a proxy between', { kind: 'status', status: 502, body: '<html>Bad Gateway' }],
    ['a connection that is reset', { kind: 'reset', when: 'before' }],
    ['a lost answer', { kind: 'reset', when: 'after' }],
  ] as const)('is asked for again after %s, and made once', async (_, fault) => {
    await using server = await startMemoryS3();
    await using cloudFront = await start();
    cloudFront.faults.add({ fault, match: /^POST/, times: 2 });
    const { invalidationId } = await site.outputs(server.endpoint, byId, withCloudFront(cloudFront));
    expect(cloudFront.requests).toHaveLength(3);
    // The same caller reference at each try: the invalidation whose answer was lost is the one that is made.
    expect(cloudFront.invalidations.map(({ id }) => id)).toEqual([invalidationId]);
  });

  it('that is not allowed names the permission; the release stays live', async () => {
    await using server = await startMemoryS3();
    await using cloudFront = await start();
    cloudFront.fail({ status: 403, body: refusal('AccessDenied'), match: /^POST/ });
    const refused = site.deploy(server.endpoint, byId, withCloudFront(cloudFront));
    await expect(refused).rejects.toThrow(`allow cloudfront:CreateInvalidation on distribution ${ID}`);
    expect(server.objects.get('index.html')?.body.toString()).toBe('one');
    await site.deploy(server.endpoint, byId, withCloudFront(cloudFront));
    expect(pathsOf(cloudFront)).toEqual([['/about.html', '/index.html', '/']]);
  });

  it('takes as many paths and wildcards as CloudFront does at a time', async () => {
    await using server = await startMemoryS3();
    await using cloudFront = await start();
    const paths = Array.from({ length: 3000 }, (_, index) => `/p/${index}.html`);
    const wildcards = Array.from({ length: 15 }, (_, index) => `/d${index}/*`);
    const invalidate = [...paths, ...wildcards].join('\n');
    await site.deploy(server.endpoint, { ...byId, invalidate }, withCloudFront(cloudFront));
    expect(pathsOf(cloudFront)[0]).toHaveLength(3015);
  });

  it('names the distribution that is not there; the release stays live, and the next run invalidates', async () => {
    await using server = await startMemoryS3();
    await using none = await start([]);
    const refused = site.deploy(server.endpoint, byId, withCloudFront(none));
    await expect(refused).rejects.toThrow(`there is no distribution ${ID}`);
    await using cloudFront = await start();
    const { uploaded } = await site.outputs(server.endpoint, byId, withCloudFront(cloudFront));
    expect(uploaded).toBe(0);
    expect(pathsOf(cloudFront)).toEqual([['/about.html', '/index.html', '/']]);
  });
});
