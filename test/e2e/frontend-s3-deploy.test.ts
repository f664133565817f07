import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contract } from '../../src/actions/frontend-s3-deploy/contract.ts';
import { run } from '../../src/actions/frontend-s3-deploy/run.ts';
import { createAdaptiveConcurrency } from '../../src/core/aws/adaptive-concurrency.ts';
import { createS3Client, type S3Client } from '../../src/core/aws/s3-client.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { runCommand } from '../../src/core/runner/command.ts';
import { readEvent } from '../../src/core/runner/event.ts';
import { readInputs } from '../../src/core/runner/inputs.ts';
import { createLog } from '../../src/core/runner/log.ts';
import { pushBuilt } from './published-images.ts';
import { serviceAddress } from './service-address.ts';

/** An S3 server that verifies signatures, checksums and conditions, and a user of it who may make buckets. */
const endpoint = serviceAddress('SLIPWAY_S3_ENDPOINT');
const keys = {
  AWS_ACCESS_KEY_ID: serviceAddress('SLIPWAY_S3_ACCESS_KEY_ID'),
  AWS_SECRET_ACCESS_KEY: serviceAddress('SLIPWAY_S3_SECRET_ACCESS_KEY'),
};
const bucket = `site-${randomUUID()}`;
const ODD_NAME = "docs/ä b+c&d=e%20'(1)!~.html";

describe('a deploy to a strict S3 server', () => {
  let workspace = '';
  let client: S3Client;

  beforeAll(async () => {
    workspace = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
    client = createS3Client({
      location: { bucket, region: 'us-east-1', endpoint, bucketPath: `/${bucket}`, isAmazon: false },
      credentials: async () => ({ accessKeyId: keys.AWS_ACCESS_KEY_ID, secretAccessKey: keys.AWS_SECRET_ACCESS_KEY }),
      concurrency: createAdaptiveConcurrency({ initial: 4, max: 4 }),
    });
    await client.send(undefined, { method: 'PUT', describe: 'CREATE BUCKET' });
    await write('index.html', '<script src="/assets/app-1a2b3c4d.js">');
    await write('assets/app-1a2b3c4d.js', 'one');
    await write(ODD_NAME, 'odd');
    await write('video.bin', Buffer.alloc(70 * 1024 * 1024, 'v'));
  });
  afterAll(() => rm(workspace, { recursive: true }));

  async function write(path: string, data: string | Uint8Array): Promise<void> {
    await mkdir(dirname(join(workspace, 'dist', path)), { recursive: true });
    await writeFile(join(workspace, 'dist', path), data);
  }

  async function deploy(inputs: Readonly<Record<string, string>> = {}) {
    const given = { source: 'dist', bucket, endpoint, ...inputs };
    const variables = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    const environment = {
      ...keys,
      GITHUB_SHA: '0123456789',
      GITHUB_SERVER_URL: 'https://github.com',
      ...Object.fromEntries(variables),
    };
    const log = createLog(() => undefined, { debug: false });
    const state = { save: () => undefined, get: () => undefined };
    const event = readEvent(environment);
    const result = await run(readInputs(contract, environment, log), {
      event,
      environment,
      workspace,
      temp: workspace,
      log,
      runCommand,
      state,
    });
    return result.outputs;
  }

  it('puts every file with its headers, large ones in parts', async () => {
    expect(await deploy()).toMatchObject({ uploaded: 4, unchanged: 0 });
    expect(await client.head(ODD_NAME)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    });
    expect(await client.head('video.bin')).toMatchObject({ 'content-length': String(70 * 1024 * 1024) });
    expect(await client.head('assets/app-1a2b3c4d.js')).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });

  it('changes nothing when nothing changed', async () => {
    expect(await deploy()).toMatchObject({ uploaded: 0, unchanged: 4, bytes: 0 });
  });

  it('gives new headers by a copy that keeps the content', async () => {
    expect(await deploy({ headers: '**: x-amz-meta-team: web' })).toMatchObject({ uploaded: 4, bytes: 0 });
    expect(await client.head(ODD_NAME)).toMatchObject({ 'x-amz-meta-team': 'web', 'content-length': '3' });
    expect(await client.head('video.bin')).toMatchObject({ 'content-length': String(70 * 1024 * 1024) });
    expect(await deploy({ headers: '**: x-amz-meta-team: web' })).toMatchObject({ uploaded: 0, unchanged: 4 });
  });

  it('deletes what no kept release refers to', async () => {
    await rm(join(workspace, 'dist', ODD_NAME));
    expect(await deploy({ delete: 'true', 'keep-releases': '0' })).toMatchObject({ deleted: 1 });
    expect(await client.head(ODD_NAME)).toBeUndefined();
  });

  it('takes a folder out of an image, and sees an edit whatever the times of the files', async () => {
    const registry = serviceAddress('SLIPWAY_REGISTRY');
    const images = createRegistryClient();
    const repository = `${registry}/frontend-${randomUUID().slice(0, 8)}`;
    const push = (content: string) => pushBuilt(images, repository, 'linux/amd64', content);
    const source = (digest: string) => `image: ${repository}@${digest}:/app/dist`;
    const first = await deploy({ source: source(await push('<p>one')), prefix: 'from-image' });
    expect(first).toMatchObject({ uploaded: 1 });
    expect((await client.get('from-image/index.html', { maxBytes: 99 }))?.body.toString()).toBe('<p>one');
    // The same size and the same time: what `aws s3 sync` takes for unchanged.
    const second = { source: source(await push('<p>two')), prefix: 'from-image' };
    expect(await deploy(second)).toMatchObject({ uploaded: 1 });
    expect(await deploy(second)).toMatchObject({ uploaded: 0, unchanged: 1 });
    await expect(deploy({ ...second, source: second.source.replace('/app/dist', '/app/nothing') })).rejects.toThrow(
      '/app/nothing',
    );
  });
});
