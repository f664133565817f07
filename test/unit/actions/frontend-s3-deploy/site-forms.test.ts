import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkspace, type Workspace } from '../../../harness/site/workspace.ts';
import { startMemoryS3 } from '../../../harness/standins/memory-s3.ts';

const long = 'export const text = "again and again";\n'.repeat(200);
let site: Workspace;

beforeEach(async () => {
  site = await createWorkspace({
    'index.html': `<p>${'page '.repeat(400)}`,
    'app.js': long,
    'tiny.js': '1',
    'a.png': long,
  });
});
afterEach(() => site[Symbol.asyncDispose]());

describe('compress', () => {
  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const)('%s sends what shrinks with its encoding, and leaves the rest', async (compress, decompress) => {
    await using server = await startMemoryS3();
    await site.deploy(server.endpoint, { compress });
    const script = server.objects.get('app.js');
    expect(script?.headers).toMatchObject({
      'content-encoding': compress,
      'content-type': 'text/javascript; charset=utf-8',
    });
    expect(decompress(script?.body ?? Buffer.alloc(0)).toString()).toBe(long);
    expect(server.objects.get('index.html')?.headers['content-encoding']).toBe(compress);
    for (const path of ['tiny.js', 'a.png']) {
      expect(server.objects.get(path)?.headers['content-encoding'], path).toBeUndefined();
    }
  });

  it('leaves an unchanged site unchanged', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server.endpoint, { compress: 'br' });
    server.requests.length = 0;
    expect(await site.outputs(server.endpoint, { compress: 'br' })).toMatchObject({ uploaded: 0, unchanged: 4 });
    expect(server.requests).toHaveLength(2);
  });

  it('leaves files alone whose headers say that they are encoded or must not be changed', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server.endpoint, { compress: 'br', 'cache-control': '*.js: no-transform, max-age=1' });
    expect(server.objects.get('app.js')?.body.toString()).toBe(long);
  });
});

describe('precompressed', () => {
  beforeEach(async () => {
    await site.write('app.js.br', 'brotli');
    await site.write('app.js.gz', 'gzip');
    await site.write('download.tar.gz', 'archive');
  });
  const sent = async (precompressed: string) => {
    await using server = await startMemoryS3();
    await site.deploy(server.endpoint, { precompressed });
    return Object.fromEntries(
      ['app.js', 'app.js.br', 'app.js.gz', 'download.tar.gz'].map((path) => {
        const object = server.objects.get(path);
        const shown = object && [object.body.toString().slice(0, 7), object.headers['content-encoding']];
        return [path, shown?.join(' ').trim()];
      }),
    );
  };

  it.each([
    ['beside', 'export', 'brotli br', 'gzip gzip'],
    ['br', 'brotli br', undefined, undefined],
    ['gz', 'gzip gzip', undefined, undefined],
    ['off', 'export', 'brotli', 'gzip'],
  ])('%s', async (choice, plain, br, gz) => {
    expect(await sent(choice)).toEqual({
      'app.js': plain,
      'app.js.br': br,
      'app.js.gz': gz,
      'download.tar.gz': 'archive',
    });
  });
});

describe('pages under further URLs', () => {
  it('are clean URLs', async () => {
    await using server = await startMemoryS3();
    await site.write('about.html', 'about');
    await site.write('docs/index.html', 'docs');
    await site.write('docs/deep/page.html', 'page');
    await site.write('team.html', 'team page');
    await site.write('team', 'a file of its own');
    await site.deploy(server.endpoint, { 'clean-urls': 'true' });
    const text = (path: string) => server.objects.get(path)?.body.toString();
    expect(['about', 'docs/', 'docs/deep/page', 'team'].map(text)).toEqual([
      'about',
      'docs',
      'page',
      'a file of its own',
    ]);
    expect(server.objects.get('about')?.headers).toEqual({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    });
    expect(server.objects.has('index')).toBe(false);
    server.requests.length = 0;
    expect(await site.outputs(server.endpoint, { 'clean-urls': 'true' })).toMatchObject({ uploaded: 0 });
    expect(server.requests).toHaveLength(2);
  });

  it('go in with the documents, after the assets', async () => {
    await using server = await startMemoryS3();
    await site.deploy(server.endpoint, { 'clean-urls': 'true', 'spa-fallback': '404.html, settings/profile' });
    const puts = server.requests.filter((request) => request.startsWith('PUT') && !request.includes('.slipway'));
    expect(puts.slice(0, 3).sort()).toEqual(['PUT a.png', 'PUT app.js', 'PUT tiny.js']);
    expect(puts.slice(3)).toEqual(['PUT settings/profile', 'PUT 404.html', 'PUT index.html']);
  });

  it('are refused where the source has a file of that name, or no start page', async () => {
    await using server = await startMemoryS3();
    await site.write('404.html', 'mine');
    const fallback = { 'spa-fallback': '404.html' };
    await expect(site.deploy(server.endpoint, fallback)).rejects.toThrow('has a file 404.html of its own');
    await site.remove('404.html');
    await site.remove('index.html');
    await expect(site.deploy(server.endpoint, fallback)).rejects.toThrow('has no index.html');
    expect(server.requests).toEqual([]);
  });
});
