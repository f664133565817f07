import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkspace, KEYS, type Workspace } from '../../../harness/site/workspace.ts';
import { startCloudFront } from '../../../harness/standins/cloudfront.ts';
import { startMemoryS3 } from '../../../harness/standins/memory-s3.ts';

let site: Workspace;

beforeEach(async () => {
  site = await createWorkspace({ 'index.html': 'one', 'assets/app-1a2b3c4d.js': 'app' });
});
afterEach(() => site[Symbol.asyncDispose]());

describe('preview', () => {
  const opened = { action: 'opened', pull_request: { number: 7 } };
  const closed = { action: 'closed', pull_request: { number: 7 } };

  it('deploys a pull request to a folder of its own, and removes it when it is closed', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server.endpoint, { prefix: 'app' });
    const inputs = { prefix: 'app', preview: 'true', url: 'https://{preview}.example.com' };
    const onOpen = { ...KEYS, ...(await site.event('pull_request', opened)) };
    await site.write('index.html', 'preview');
    const { url } = await site.outputs(server.endpoint, inputs, onOpen);
    expect(url).toBe('https://pr-7.example.com');
    expect(server.objects.get('app/pr-7/index.html')?.body.toString()).toBe('preview');
    expect(server.objects.get('app/index.html')?.body.toString()).toBe('one');

    const onClose = { ...KEYS, ...(await site.event('pull_request', closed)) };
    const { outputs, summary } = await site.deploy(server.endpoint, { ...inputs, source: 'gone' }, onClose);
    expect([...server.objects.keys()].filter((key) => key.includes('pr-7'))).toEqual([]);
    expect(server.objects.has('app/index.html')).toBe(true);
    expect(outputs?.deleted).toBe(5);
    expect(summary).toContain('Removed a preview');
  });

  it('is left alone by a deploy of the site around it that deletes', async () => {
    await using server = await startMemoryS3();
    const onOpen = { ...KEYS, ...(await site.event('pull_request', opened)) };
    await site.deploy(server.endpoint, { preview: 'true' }, onOpen);
    await site.deploy(server.endpoint, { delete: 'true', 'keep-releases': '0' });
    await site.write('index.html', 'two');
    await site.deploy(server.endpoint, { delete: 'true', 'keep-releases': '0' });
    expect(server.objects.get('pr-7/index.html')?.body.toString()).toBe('one');
  });

  it('says when there is none to remove, and invalidates the one it removed', async () => {
    await using server = await startMemoryS3();
    const distribution = { id: 'E1A2B3C4D5E6F7', aliases: ['www.example.com'], origin: 'b.s3.amazonaws.com' };
    await using cloudFront = await startCloudFront({ distributions: [distribution] });
    const variables = { ...KEYS, AWS_ENDPOINT_URL_CLOUDFRONT: cloudFront.url };
    const onOpen = { ...variables, ...(await site.event('pull_request', opened)) };
    const inputs = { preview: 'true', 'distribution-alias': 'www.example.com' };
    await site.deploy(server.endpoint, inputs, onOpen);
    const onClose = { ...variables, ...(await site.event('pull_request', closed)) };
    await site.deploy(server.endpoint, inputs, onClose);
    expect(cloudFront.invalidations.at(-1)?.batch.paths).toEqual(['/pr-7/*']);
    const { summary } = await site.deploy(server.endpoint, inputs, onClose);
    expect(summary).toContain('No preview to remove');
    expect(cloudFront.invalidations).toHaveLength(2);
  });

  it('is not made by other events, nor without the input', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server.endpoint, { preview: 'true' }, { ...KEYS, ...(await site.event('push', {})) });
    const onClose = { ...KEYS, ...(await site.event('pull_request', closed)) };
    await site.deploy(server.endpoint, {}, onClose);
    expect(server.objects.has('index.html')).toBe(true);
  });
});

describe('rollback-to', () => {
  it('goes back to the release of an output, and reports it', async () => {
    await using server = await startMemoryS3();
    const first = await site.outputs(server.endpoint);
    await site.write('index.html', 'two');
    await site.deploy(server.endpoint);
    const rolledBack = await site.outputs(server.endpoint, { 'rollback-to': String(first.release) });
    expect(rolledBack).toMatchObject({ release: first.release, uploaded: 1, unchanged: 1, bytes: 3 });
    expect(server.objects.get('index.html')?.body.toString()).toBe('one');
    await site.deploy(server.endpoint, { 'rollback-to': 'previous' });
    expect(server.objects.get('index.html')?.body.toString()).toBe('two');
  });

  it('writes nothing in a dry run', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server.endpoint);
    await site.write('index.html', 'two');
    await site.deploy(server.endpoint);
    const { plan } = await site.outputs(server.endpoint, { 'rollback-to': 'previous', 'dry-run': 'true' });
    expect(plan).toMatchObject({ upload: ['index.html'] });
    expect(server.objects.get('index.html')?.body.toString()).toBe('two');
  });
});

describe('promote', () => {
  it('puts the live release of a staging folder here, and sends no asset', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server.endpoint, { prefix: 'staging' });
    const promoted = await site.outputs(server.endpoint, { promote: 'staging/live' });
    expect(promoted).toMatchObject({ uploaded: 2, bytes: 3 });
    expect(server.requests).toContain('COPY assets/app-1a2b3c4d.js');
    expect(server.objects.get('assets/app-1a2b3c4d.js')?.headers['cache-control']).toContain('immutable');
    await site.deploy(server.endpoint, { promote: '/live', prefix: 'mirror' });
    expect(server.objects.get('mirror/index.html')?.body.toString()).toBe('one');
  });
});
