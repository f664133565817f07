import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../../src/core/registry/manifest.ts';
import { OCI_MANIFEST } from '../../../../src/core/registry/media-types.ts';
import { createRegistryClient } from '../../../../src/core/registry/registry-client.ts';
import { parseChallenge } from '../../../../src/core/registry/token-auth.ts';
import { safeLocation } from '../../../../src/core/registry/transport.ts';
import { ConfigurationError } from '../../../../src/core/runner/errors.ts';
import { makeBlob } from './oci-layout.ts';
import { startRegistry } from './registry-server.ts';

const FAST = { attempts: 4, firstPause: 2, longestPause: 10 };
const USERS = {
  writer: { password: 'secret', canPush: true },
  reader: { password: 'secret', canPush: false },
};
const writer = () => ({ username: 'writer', password: 'secret' });
const reader = () => ({ username: 'reader', password: 'secret' });

function sourceOf(bytes: Buffer) {
  return {
    digest: digestOf(bytes),
    size: bytes.length,
    open: (a: number, b: number) => Readable.from([bytes.subarray(a, b)]),
  };
}

describe('a registry client', () => {
  test('answers the challenge once, then asks for one token a scope', async () => {
    await using server = await startRegistry({ users: USERS });
    const client = createRegistryClient({ credentials: writer });
    const repository = { registry: server.host, name: 'acme/app' };
    client.willPush(repository);
    const bytes = Buffer.from('content');
    await client.uploadBlob(repository, sourceOf(bytes));
    for (let round = 0; round < 5; round += 1) expect(await client.hasBlob(repository, digestOf(bytes))).toBe(true);

    expect(server.tokenRequests).toEqual(['repository:acme/app:pull,push']);
    expect(server.requests.filter(({ status }) => status === 401)).toHaveLength(1);
  });

  test('shares one token request among parallel calls', async () => {
    await using server = await startRegistry({ users: USERS });
    const client = createRegistryClient({ credentials: writer });
    const repository = { registry: server.host, name: 'acme/app' };
    await client.hasBlob(repository, digestOf(Buffer.from('x')));
    const other = { registry: server.host, name: 'acme/other' };
    await Promise.all(Array.from({ length: 8 }, () => client.hasBlob(other, digestOf(Buffer.from('x')))));
    expect(server.tokenRequests).toEqual(['repository:acme/app:pull', 'repository:acme/other:pull']);
  });

  test('gets a new token when the old one has expired', async () => {
    await using server = await startRegistry({ users: USERS, tokenLife: 300 });
    let now = Date.now();
    const client = createRegistryClient({ credentials: writer, now: () => now });
    const repository = { registry: server.host, name: 'acme/app' };
    await client.listTags(repository);
    now += 295_000;
    await client.listTags(repository);
    expect(server.tokenRequests).toHaveLength(2);
  });

  test('logs in by Basic where the registry asks for that', async () => {
    await using server = await startRegistry({ users: USERS, scheme: 'basic' });
    const repository = { registry: server.host, name: 'acme/app' };
    const bytes = Buffer.from('content');
    await createRegistryClient({ credentials: writer }).uploadBlob(repository, sourceOf(bytes));
    expect(server.repository('acme/app').blobs.size).toBe(1);
    const stranger = createRegistryClient({ credentials: () => ({ username: 'writer', password: 'wrong' }) });
    await expect(stranger.hasBlob(repository, digestOf(bytes))).rejects.toThrow(/username or password .* is wrong/);
  });

  test.each([
    ['a user who may not push', reader, /answered 403 .*permission_denied: write_package.*may not write to/],
    ['nobody', () => undefined, /Give "username" and "password"/],
  ])('says what is missing to %s', async (_who, credentials, message) => {
    await using server = await startRegistry({ users: USERS });
    const client = createRegistryClient({ credentials });
    const upload = client.uploadBlob({ registry: server.host, name: 'acme/app' }, sourceOf(Buffer.from('x')));
    await expect(upload).rejects.toThrow(message);
    await expect(upload).rejects.toThrow(ConfigurationError);
  });

  test('uploads in chunks, and goes on where a broken upload stopped', async () => {
    await using server = await startRegistry();
    const client = createRegistryClient({ chunkBytes: 10_000, retry: FAST });
    const repository = { registry: server.host, name: 'acme/app' };
    const bytes = randomBytes(45_000);
    server.faults.add({ fault: { kind: 'reset', when: 'after' }, match: /^PATCH/, after: 1 });
    server.faults.add({ fault: { kind: 'status', status: 500 }, match: /^PATCH/, after: 3 });

    await client.uploadBlob(repository, sourceOf(bytes));

    expect(server.repository('acme/app').blobs.get(digestOf(bytes))).toEqual(bytes);
    // One session for all: the chunk that had arrived was not sent again.
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(server.requests.filter(({ method }) => method === 'PATCH').length).toBeLessThanOrEqual(6);
  });

  test('begins anew when the registry has forgotten the upload', async () => {
    await using server = await startRegistry();
    const client = createRegistryClient({ retry: FAST });
    const bytes = randomBytes(1000);
    server.fail({ status: 502, match: /^PUT/ });
    await client.uploadBlob({ registry: server.host, name: 'a/b' }, sourceOf(bytes));
    expect(server.repository('a/b').blobs.get(digestOf(bytes))).toEqual(bytes);
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(2);
  });

  test('mounts blobs with a token for both repositories, and says when the registry will not', async () => {
    await using server = await startRegistry({ users: USERS });
    const client = createRegistryClient({ credentials: writer });
    const [from, to] = ['acme/from', 'acme/to'].map((name) => ({ registry: server.host, name }));
    if (from === undefined || to === undefined) throw new Error('unreachable');
    const bytes = Buffer.from('layer');
    await client.uploadBlob(from, sourceOf(bytes));
    expect(await client.mountBlob(to, from, digestOf(bytes))).toBe(true);
    expect(server.tokenRequests.at(-1)).toBe('repository:acme/to:pull,push repository:acme/from:pull');
    expect(await client.mountBlob(to, from, digestOf(Buffer.from('unknown')))).toBe(false);
    expect(await client.mountBlob(to, { registry: 'other.test', name: 'x/y' }, digestOf(bytes))).toBe(false);
  });

  test('reads a blob whole, and throws at bytes that are not the digest', async () => {
    await using server = await startRegistry();
    const client = createRegistryClient({ retry: FAST });
    const repository = { registry: server.host, name: 'acme/app' };
    const blob = makeBlob('application/octet-stream', randomBytes(200_000));
    server.repository('acme/app').blobs.set(blob.digest, blob.bytes);
    expect(await buffer(client.readBlob(repository, blob))).toEqual(blob.bytes);

    server.faults.add({ fault: { kind: 'wrong-bytes' }, match: /^GET .*blobs/ });
    await expect(buffer(client.readBlob(repository, blob))).rejects.toThrow('answered with bytes of sha256:');
    await expect(buffer(client.readBlob(repository, { ...blob, size: 10 }))).rejects.toThrow(
      'longer than the 10 bytes',
    );
  });

  test('refuses a manifest whose bytes are not its digest', async () => {
    await using server = await startRegistry();
    const client = createRegistryClient();
    const repository = { registry: server.host, name: 'acme/app' };
    const manifest = makeBlob(OCI_MANIFEST, '{"schemaVersion":2,"config":{},"layers":[]}');
    server.repository('acme/app').manifests.set(manifest.digest, manifest);
    expect((await client.findManifest(repository, manifest.digest))?.bytes).toEqual(manifest.bytes);
    server.faults.add({ fault: { kind: 'wrong-bytes' } });
    await expect(client.findManifest(repository, manifest.digest)).rejects.toThrow('not sha256:');
  });

  test('lists all tags over pages, and none of a repository that is not there', async () => {
    await using server = await startRegistry();
    const { tags } = server.repository('acme/app');
    for (let index = 0; index < 10; index += 1) tags.set(`v${index}`, 'sha256:x');
    const client = createRegistryClient();
    expect(await client.listTags({ registry: server.host, name: 'acme/app' })).toHaveLength(10);
    expect(await client.findManifest({ registry: server.host, name: 'no/such' }, 'latest')).toBeUndefined();
  });

  test('speaks of waiting when the registry limits requests', async () => {
    await using server = await startRegistry();
    server.fail({ status: 429, times: 99, headers: { 'retry-after': '0' } });
    const client = createRegistryClient({ retry: { attempts: 2, firstPause: 1, longestPause: 2 } });
    await expect(client.findDigest({ registry: server.host, name: 'a/b' }, 'latest')).rejects.toThrow(
      /429.*too many requests/,
    );
  });
});

describe('parseChallenge', () => {
  test.each([
    [
      'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:a/b:pull"',
      { scheme: 'bearer', realm: 'https://ghcr.io/token', service: 'ghcr.io' },
    ],
    ['bearer realm="https://x/y"', { scheme: 'bearer', realm: 'https://x/y', service: undefined }],
    [
      'Basic realm="registry", Bearer realm="https://x/t",service=s',
      { scheme: 'bearer', realm: 'https://x/t', service: 's' },
    ],
    ['Basic realm="registry"', { scheme: 'basic' }],
    ['Negotiate', undefined],
    ['', undefined],
  ])('reads %s', (header, expected) => {
    expect(parseChallenge(header)).toEqual(expected);
  });
});

describe('safeLocation', () => {
  const from = new URL('https://ghcr.io/v2/a/b/blobs/uploads/');
  test('follows paths and https, and never plain http to another machine', () => {
    expect(safeLocation('/v2/x?y=1', from).href).toBe('https://ghcr.io/v2/x?y=1');
    expect(safeLocation('https://storage.test/x', from).href).toBe('https://storage.test/x');
    expect(() => safeLocation('http://storage.test/x', from)).toThrow('not https');
    expect(() => safeLocation('file:///etc/passwd', from)).toThrow('not https');
  });
});
