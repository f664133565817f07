import { describe, expect, test } from 'vitest';
import { type CloudFront, startCloudFront } from '../../../harness/standins/cloudfront.ts';

const SIGNATURE = `AWS4-HMAC-SHA256 Credential=AKIA/20260102/us-east-1/cloudfront/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;

async function send(cloudFront: CloudFront, method: string, path: string, body?: string, authorization = SIGNATURE) {
  const answer = await fetch(`${cloudFront.url}/2020-05-31/distribution${path}`, {
    method,
    headers: { authorization },
    ...(body !== undefined && { body }),
  });
  const text = await answer.text();
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return {
    status: answer.status,
    code: element('Code'),
    id: element('Id'),
    state: element('Status'),
    location: answer.headers.get('location'),
    element,
    text,
  };
}

function batch(reference: string, paths: readonly string[], quantity = paths.length): string {
  const items = paths.map((path) => `<Path>${path}</Path>`).join('');
  return `<?xml version="1.0"?><InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>${quantity}</Quantity><Items>${items}</Items></Paths><CallerReference>${reference}</CallerReference></InvalidationBatch>`;
}

const numbered = (count: number, suffix = '') => Array.from({ length: count }, (_, index) => `/${index}${suffix}`);
const start = (completeAfter = 60_000) =>
  startCloudFront({ distributions: [{ id: 'E1' }, { id: 'E2' }], completeAfter });

describe('CloudFront', () => {
  test('makes an invalidation, tells where it is, and completes it after its time', async () => {
    await using cloudFront = await start(150);
    const made = await send(cloudFront, 'POST', '/E1/invalidation', batch('r', ['/a&amp;b', '/*']));
    expect([made.status, made.state]).toEqual([201, 'InProgress']);
    expect(made.location).toBe(`${cloudFront.url}/2020-05-31/distribution/E1/invalidation/${made.id}`);
    expect(made.text).toContain('<Path>/a&amp;b</Path><Path>/*</Path>');
    expect(cloudFront.invalidations[0]?.batch).toEqual({ paths: ['/a&b', '/*'], callerReference: 'r' });
    await expect
      .poll(async () => (await send(cloudFront, 'GET', `/E1/invalidation/${made.id}`)).state)
      .toBe('Completed');
  });

  test('a repeated caller reference gives the same invalidation, with other paths an error', async () => {
    await using cloudFront = await start();
    const first = await send(cloudFront, 'POST', '/E1/invalidation', batch('r', ['/a', '/b']));
    const again = await send(cloudFront, 'POST', '/E1/invalidation', batch('r', ['/b', '/a']));
    expect([again.status, again.id]).toEqual([201, first.id]);
    const other = await send(cloudFront, 'POST', '/E1/invalidation', batch('r', ['/c']));
    expect([other.status, other.code]).toEqual([400, 'InvalidArgument']);
    expect((await send(cloudFront, 'POST', '/E2/invalidation', batch('r', ['/c']))).status).toBe(201);
    expect(cloudFront.invalidations.length).toBe(2);
  });

  test.each([
    { says: '3,000 paths', earlier: numbered(2999), paths: ['/last'], status: 201 },
    { says: 'one path more than 3,000', earlier: numbered(3000), paths: ['/more'], status: 400 },
    { says: '15 wildcards', earlier: numbered(14, '/*'), paths: ['/*'], status: 201 },
    { says: 'one wildcard more than 15', earlier: numbered(15, '/*'), paths: ['/*'], status: 400 },
    { says: 'a wildcard beside 3,000 paths', earlier: numbered(3000), paths: ['/*'], status: 201 },
  ])('in progress at one time: $says → $status', async ({ earlier, paths, status }) => {
    await using cloudFront = await start();
    expect((await send(cloudFront, 'POST', '/E1/invalidation', batch('earlier', earlier))).status).toBe(201);
    const answer = await send(cloudFront, 'POST', '/E1/invalidation', batch('now', paths));
    expect(answer.status).toBe(status);
    if (status === 400) expect(answer.code).toBe('TooManyInvalidationsInProgress');
    expect((await send(cloudFront, 'POST', '/E2/invalidation', batch('now', paths))).status).toBe(201);
  });

  test('what is completed no longer counts', async () => {
    await using cloudFront = await start(0);
    await send(cloudFront, 'POST', '/E1/invalidation', batch('earlier', numbered(15, '/*')));
    expect((await send(cloudFront, 'POST', '/E1/invalidation', batch('now', ['/*']))).status).toBe(201);
  });

  test.each([
    {
      says: 'an unknown distribution',
      path: '/E9/invalidation',
      body: batch('r', ['/a']),
      status: 404,
      code: 'NoSuchDistribution',
    },
    {
      says: 'a path without its slash',
      path: '/E1/invalidation',
      body: batch('r', ['a']),
      status: 400,
      code: 'InvalidArgument',
    },
    {
      says: 'a wildcard in the middle',
      path: '/E1/invalidation',
      body: batch('r', ['/*/a']),
      status: 400,
      code: 'InvalidArgument',
    },
    {
      says: 'letters that are not encoded',
      path: '/E1/invalidation',
      body: batch('r', ['/ä']),
      status: 400,
      code: 'InvalidArgument',
    },
    { says: 'no paths', path: '/E1/invalidation', body: batch('r', []), status: 400, code: 'InvalidArgument' },
    {
      says: 'no caller reference',
      path: '/E1/invalidation',
      body: batch('', ['/a']),
      status: 400,
      code: 'InvalidArgument',
    },
    {
      says: 'a wrong quantity',
      path: '/E1/invalidation',
      body: batch('r', ['/a'], 2),
      status: 400,
      code: 'InconsistentQuantities',
    },
    { says: 'no body', path: '/E1/invalidation', body: '', status: 400, code: 'MissingBody' },
    { says: 'no XML', path: '/E1/invalidation', body: '<a><b></a>', status: 400, code: 'MalformedXML' },
  ])('refuses $says with $code', async ({ path, body, status, code }) => {
    await using cloudFront = await start();
    const answer = await send(cloudFront, 'POST', path, body);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(cloudFront.invalidations).toEqual([]);
  });

  test('an unknown invalidation is not found, nor one of another distribution', async () => {
    await using cloudFront = await start();
    const made = await send(cloudFront, 'POST', '/E1/invalidation', batch('r', ['/a']));
    for (const path of ['/E1/invalidation/I0', `/E2/invalidation/${made.id}`]) {
      expect((await send(cloudFront, 'GET', path)).code).toBe('NoSuchInvalidation');
    }
  });

  test.each([
    { authorization: '', code: 'MissingAuthenticationToken' },
    { authorization: 'Bearer token', code: 'SignatureDoesNotMatch' },
    { authorization: SIGNATURE.replace('us-east-1', 'eu-west-1'), code: 'SignatureDoesNotMatch' },
  ])('wants a signature for its one region ($authorization → $code)', async ({ authorization, code }) => {
    await using cloudFront = await start();
    const answer = await send(cloudFront, 'GET', '', undefined, authorization);
    expect([answer.status, answer.code]).toEqual([403, code]);
  });

  test('lists distributions in pages', async () => {
    await using cloudFront = await startCloudFront({
      distributions: [
        { id: 'E2', aliases: ['www.example.com'], origin: 'site.s3.amazonaws.com' },
        { id: 'E1' },
        { id: 'E3' },
      ],
    });
    const first = await send(cloudFront, 'GET', '?MaxItems=2');
    expect(['Id', 'NextMarker', 'IsTruncated', 'Quantity', 'CNAME'].map(first.element)).toEqual([
      'E1',
      'E2',
      'true',
      '2',
      'www.example.com',
    ]);
    const second = await send(cloudFront, 'GET', '?Marker=E2');
    expect(['Id', 'NextMarker', 'IsTruncated', 'Quantity'].map(second.element)).toEqual([
      'E3',
      undefined,
      'false',
      '1',
    ]);
  });

  test('fails on demand', async () => {
    await using cloudFront = await start();
    cloudFront.fail({ status: 503, match: /^POST/ });
    expect((await send(cloudFront, 'GET', '')).status).toBe(200);
    expect((await send(cloudFront, 'POST', '/E1/invalidation', batch('r', ['/a']))).status).toBe(503);
    expect((await send(cloudFront, 'POST', '/E1/invalidation', batch('r', ['/a']))).status).toBe(201);
  });
});
