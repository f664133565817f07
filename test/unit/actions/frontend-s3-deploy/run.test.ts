import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkspace, type Workspace } from '../../../harness/site/workspace.ts';
import { startMemoryS3 } from '../../../harness/standins/memory-s3.ts';

let site: Workspace;

beforeEach(async () => {
  site = await createWorkspace({
    'index.html': '<script src="/assets/app-1a2b3c4d.js">',
    'assets/app-1a2b3c4d.js': 'app',
  });
});
afterEach(() => site[Symbol.asyncDispose]());

describe('frontend-s3-deploy', () => {
  it('deploys a folder, and reports counts, release and address', async () => {
    await using server = await startMemoryS3();
    const { outputs, summary } = await site.deploy(server.endpoint, { prefix: 'app' });
    expect(outputs).toMatchObject({
      uploaded: 2,
      unchanged: 0,
      deleted: 0,
      bytes: 41,
      url: `${server.endpoint}/bucket/app/index.html`,
    });
    expect(outputs?.release).toMatch(/^\d{8}T\d{6}Z-0123456-[0-9a-f]{4}$/);
    expect(outputs?.plan).toMatchObject({ upload: ['assets/app-1a2b3c4d.js', 'index.html'], counts: { upload: 2 } });
    expect(server.objects.get('app/index.html')?.headers).toEqual({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    });
    expect(summary).toContain('**2 files, 41 B**: 2 sent (41 B).');
  });

  it.each([
    ['a source map', 'assets/app.js.map', 'must not be public'],
    ['an environment file', '.env.production', 'must not be public'],
    ['names that differ in case', 'Index.html', 'differ only in case'],
  ])('refuses %s before the first request', async (_, path, message) => {
    await using server = await startMemoryS3();
    await site.write(path, '{}');
    await expect(site.deploy(server.endpoint, {})).rejects.toThrow(message);
    expect(server.requests).toEqual([]);
  });

  it.each([
    [{ invalidate: 'index.html' }, 'input "invalidate"'],
    [{ bucket: 's3://x' }, 'input "bucket"'],
    [{ source: 'missing' }, 'input "source"'],
    [{ 'cache-control': '*.html no-cache' }, 'input "cache-control": line 1'],
    [{ 'role-to-assume': 'site' }, 'input "role-to-assume"'],
    [{ prefix: '../x' }, 'input "prefix"'],
    [{ source: '' }, 'input "source" is required'],
    [{ 'rollback-to': 'r1', promote: 'staging/live' }, 'inputs "source", "rollback-to" and "promote"'],
    [{ source: 'dist', 'rollback-to': 'r1' }, 'inputs "source", "rollback-to" and "promote"'],
    [{ 'rollback-to': '../r1' }, 'input "rollback-to"'],
    [{ promote: 'r1' }, 'input "promote": "r1" names no site'],
    [{ 'session-tags': 'a=b' }, 'input "session-tags" needs "role-chaining"'],
    [{ 'role-chaining': 'true' }, 'input "role-chaining" needs "role-to-assume"'],
    [{ 'allowed-account-ids': '12345' }, 'input "allowed-account-ids": "12345" is no account'],
    [{ 'distribution-alias': 'https://x' }, 'input "distribution-alias"'],
    [{ compress: 'zstd' }, 'input "compress": "zstd" is none of off, br, gzip'],
    [{ 'if-busy': 'supersede' }, 'input "if-busy"'],
    [{ 'spa-fallback': '../index.html' }, 'input "spa-fallback": "../index.html": browsers take "." and ".."'],
    [{ 'spa-fallback': '.slipway/manifest.json' }, 'where the record of releases is kept'],
    [{ 'spa-fallback': 'a\\b' }, 'browsers turn a backslash'],
    [{ 'spa-fallback': '/' }, 'it is no path below the site'],
    [{ prefix: 'p'.repeat(500), 'spa-fallback': 'x'.repeat(600) }, 'the key is longer than 1024 bytes'],
    [{ 'max-files': '1' }, 'input "max-files": the source has more than 1 files'],
    [{ 'max-bytes': '40' }, 'input "max-bytes": the source has more than 40 bytes'],
    [{ forbid: '/assets/**' }, '"assets/app-1a2b3c4d.js" must not be public'],
    [{ exclude: '**' }, 'has no file to deploy'],
    [{ source: 'image: example.com/site' }, 'input "source": "image: example.com/site" names no folder of an image'],
  ])('refuses %o', async (inputs, message) => {
    await using server = await startMemoryS3();
    await expect(site.deploy(server.endpoint, inputs)).rejects.toThrow(message);
    expect(server.requests).toEqual([]);
  });

  it('lets through what another list of forbidden files does not name, and what is excluded', async () => {
    await using server = await startMemoryS3();
    await site.write('app.js.map', '{}');
    await site.write('.env', 'SECRET=1');
    const inputs = { forbid: '**/.env*', exclude: '.*\nassets/**', include: 'app-*.js' };
    const { plan } = await site.outputs(server.endpoint, inputs);
    expect(plan).toMatchObject({ upload: ['app.js.map', 'assets/app-1a2b3c4d.js', 'index.html'] });
    expect(server.objects.has('.env')).toBe(false);
  });
});
