import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startEmbeddedS3 } from '../../../harness/services/embedded-s3.ts';

test('keeps a file’s headers and metadata, lists it by prefix, and deletes it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'slipway-s3-'));
  try {
    await using s3 = await startEmbeddedS3({ folder, buckets: ['site'] });
    const url = `${s3.endpoint}/site/assets/app.1.js`;
    const headers = { 'content-type': 'text/javascript', 'cache-control': 'immutable', 'x-amz-meta-digest': 'abc' };
    expect((await fetch(url, { method: 'PUT', headers, body: 'hello' })).status).toBe(200);
    const head = await fetch(url, { method: 'HEAD' });
    expect(Object.fromEntries(head.headers)).toMatchObject(headers);
    expect(await (await fetch(url)).text()).toBe('hello');
    const list = async (prefix: string) =>
      await (await fetch(`${s3.endpoint}/site?list-type=2&prefix=${prefix}`)).text();
    expect(await list('assets/')).toContain('<Key>assets/app.1.js</Key>');
    expect(await list('other/')).not.toContain('<Key>');
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(204);
    expect((await fetch(url)).status).toBe(404);
  } finally {
    await rm(folder, { recursive: true });
  }
});
