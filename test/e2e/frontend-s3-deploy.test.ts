import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { S3Client } from '../../src/core/aws/s3-client.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { createWorkspace, type Workspace } from '../harness/site/workspace.ts';
import { pushBuilt } from './published-images.ts';
import { serviceAddress } from './service-address.ts';
import { createBucket, keysOf, strictServer } from './site-bucket.ts';

const ODD_NAME = "docs/ä b+c&d=e%20'(1)!~.html";
const VIDEO = 70 * 1024 * 1024;

describe('a deploy to a strict S3 server', () => {
  const server = strictServer();
  let site: Workspace;
  let bucket = '';
  let client: S3Client;

  beforeAll(async () => {
    ({ bucket, client } = await createBucket(server));
    site = await createWorkspace({
      'index.html': '<script src="/assets/app-1a2b3c4d.js">',
      'assets/app-1a2b3c4d.js': 'one',
      [ODD_NAME]: 'odd',
    });
    await site.write('video.bin', Buffer.alloc(VIDEO, 'v'));
  });
  afterAll(() => site[Symbol.asyncDispose]());

  const deploy = (inputs: Readonly<Record<string, string>> = {}) =>
    site.outputs(server.endpoint, { bucket, ...inputs }, keysOf(server));

  it('puts every file with its headers, large ones in parts', async () => {
    expect(await deploy()).toMatchObject({ uploaded: 4, unchanged: 0 });
    expect(await client.head(ODD_NAME)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    });
    expect(await client.head('video.bin')).toMatchObject({ 'content-length': String(VIDEO) });
    expect(await client.head('assets/app-1a2b3c4d.js')).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });

  it('changes nothing when nothing changed', async () => {
    expect(await deploy()).toMatchObject({ uploaded: 0, unchanged: 4, bytes: 0 });
  });

  it('gives new headers by a copy that keeps the content', async () => {
    const headers = '**: x-amz-meta-team: web';
    expect(await deploy({ headers })).toMatchObject({ uploaded: 4, bytes: 0 });
    expect(await client.head(ODD_NAME)).toMatchObject({ 'x-amz-meta-team': 'web', 'content-length': '3' });
    expect(await client.head('video.bin')).toMatchObject({ 'content-length': String(VIDEO) });
    expect(await deploy({ headers })).toMatchObject({ uploaded: 0, unchanged: 4 });
  });

  it('deletes what no kept release refers to', async () => {
    await site.remove(ODD_NAME);
    expect(await deploy({ delete: 'true', 'keep-releases': '0' })).toMatchObject({ deleted: 1 });
    expect(await client.head(ODD_NAME)).toBeUndefined();
  });

  it('takes a folder out of an image, and sees an edit whatever the times of the files', async () => {
    const images = createRegistryClient();
    const repository = `${serviceAddress('SLIPWAY_REGISTRY')}/frontend-${randomUUID().slice(0, 8)}`;
    const push = (content: string) => pushBuilt(images, repository, 'linux/amd64', content);
    const from = (digest: string) => ({ source: `image: ${repository}@${digest}:/app/dist`, prefix: 'from-image' });
    expect(await deploy(from(await push('<p>one')))).toMatchObject({ uploaded: 1 });
    expect((await client.get('from-image/index.html', { maxBytes: 99 }))?.body.toString()).toBe('<p>one');
    // The same size and the same time: what `aws s3 sync` takes for unchanged.
    const second = from(await push('<p>two'));
    expect(await deploy(second)).toMatchObject({ uploaded: 1 });
    expect(await deploy(second)).toMatchObject({ uploaded: 0, unchanged: 1 });
    const nowhere = { ...second, source: second.source.replace('/app/dist', '/app/nothing') };
    await expect(deploy(nowhere)).rejects.toThrow('/app/nothing');
  });
});
