import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFaultProxy } from '../../../harness/standins/fault-proxy.ts';
import { startMemoryS3 } from '../../../harness/standins/memory-s3.ts';
import { clientOf, createDeployer, type Deployer, MANIFEST, manifestOf } from './deploy-fixture.ts';

let site: Deployer;

beforeEach(async () => {
  site = await createDeployer();
});
afterEach(() => site[Symbol.asyncDispose]());

describe('the lease of a deploy', () => {
  it('is renewed in time while a hundred uploads wait for one place', async () => {
    await using server = await startMemoryS3();
    await using slow = await startFaultProxy({ upstream: server.endpoint });
    slow.faults.add({ fault: { kind: 'delay', milliseconds: 15 }, times: Number.POSITIVE_INFINITY });
    const pages = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`asset-${index}.css`, String(index)]));
    await site.deploy(server, pages, { client: clientOf({ endpoint: slow.url }, 1), leaseDuration: 600 });
    const puts = server.requests.filter((request) => request.startsWith('PUT') && !/releases|packs/.test(request));
    const distances = puts.flatMap((request, at) => (request === `PUT ${MANIFEST}` ? [at] : []));
    // A renewal each 200 ms, and an upload each 15: fewer than 40 uploads lie between two renewals, however busy the machine.
    const gaps = distances.slice(1).map((at, index) => at - (distances[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(40);
    expect(manifestOf(server)?.pending).toBeUndefined();
  });

  it('begins nothing that waits when a later run asks for the site', async () => {
    await using server = await startMemoryS3();
    await using slow = await startFaultProxy({ upstream: server.endpoint });
    slow.faults.add({ fault: { kind: 'delay', milliseconds: 50 }, match: /asset/, times: Number.POSITIVE_INFINITY });
    const pages = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`asset-${index}.css`, String(index)]));
    const choices = { client: clientOf({ endpoint: slow.url }, 1), leaseDuration: 300, run: { id: 100, attempt: 1 } };
    const older = expect(site.deploy(server, pages, choices)).rejects.toThrow('superseded: run 101');
    await expect.poll(() => manifestOf(server)?.pending?.release).toBe('r1');
    const later = site.deploy(
      server,
      { 'index.html': '2' },
      { run: { id: 101, attempt: 1 }, ifBusy: 'supersede-older' },
    );
    await older;
    const sent = server.requests.filter((request) => request.startsWith('PUT asset')).length;
    // A renewal comes each 100 ms, or two uploads.
    expect(sent).toBeLessThan(50);
    await later;
    expect(server.requests.filter((request) => request.startsWith('PUT asset'))).toHaveLength(sent);
  });
});
