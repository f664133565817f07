import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FetchStep, fetchModel, planFetch } from '../../../../src/core/models/fetch/fetch-models.ts';
import { createModelCache, type ModelCache } from '../../../../src/core/models/fetch/model-cache.ts';
import { isSafeRedirect } from '../../../../src/core/models/fetch/safe-redirect.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { startResultsService } from '../../../harness/standins/results-service.ts';

const FILE = randomBytes(300_000);
const HEX = createHash('sha256').update(FILE).digest('hex');
const NO_CACHE: ModelCache = { restore: async () => false, save: async () => undefined };
const lines: string[] = [];
const log = createLog((line) => lines.push(line), { debug: false });
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-fetch-'));
  lines.length = 0;
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/m.bin`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function get(url: string, more: Partial<FetchStep> = {}, cache = NO_CACHE, maxSize = 1e9): Promise<boolean> {
  const step = {
    path: 'deep/m.bin',
    url,
    digest: { algorithm: 'sha256', hex: HEX },
    size: undefined,
    place: { file: 'models.yml', line: 3 },
    ...more,
  } as const;
  return fetchModel(step, { root, cache, maxSize, deadline: 20_000, log });
}

const target = (): Buffer => readFileSync(join(root, 'deep/m.bin'));
const remains = (): readonly string[] => (existsSync(join(root, 'deep')) ? readdirSync(join(root, 'deep')) : []);

/** Sends `first` bytes and breaks off; then answers ranges, or the whole file where it does not know them. */
function breaking(first: number, knowsRanges: boolean, etag = '"one"'): RequestListener {
  let count = 0;
  return (request, response) => {
    count += 1;
    const [, start] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
    if (start !== undefined && knowsRanges && request.headers['if-range'] === etag) {
      const range = `bytes ${start}-${FILE.length - 1}/${FILE.length}`;
      response.writeHead(206, { 'content-range': range, etag, 'content-length': FILE.length - Number(start) });
      response.end(FILE.subarray(Number(start)));
      return;
    }
    response.writeHead(200, { etag: count === 1 ? '"one"' : etag, 'content-length': FILE.length });
    if (count === 1) response.write(FILE.subarray(0, first), () => setTimeout(() => response.destroy(), 50));
    else response.end(FILE);
  };
}

describe('a file that is fetched', () => {
  test('gets its name when its digest is right, over what stood there', async () => {
    await using server = await serve((_, response) => response.end(FILE));
    expect(await get(server.url, { size: FILE.length })).toBe(false);
    expect(target().equals(FILE)).toBe(true);
    writeFileSync(join(root, 'deep/m.bin'), 'old');
    await get(server.url);
    expect(target().equals(FILE)).toBe(true);
    expect(remains()).toEqual(['m.bin']);
  });

  test.each([
    ['is taken up where it broke off', true, '"one"'],
    ['begins anew where the server knows no ranges', false, '"one"'],
    ['begins anew where the file is another one by now', true, '"two"'],
  ])('%s', async (_, knowsRanges, etag) => {
    await using server = await serve(breaking(100_000, knowsRanges, etag));
    await get(server.url);
    expect(target().equals(FILE)).toBe(true);
    expect(lines.some((line) => line.includes('broke off at byte'))).toBe(true);
  });

  test('follows five redirects and no sixth', async () => {
    let left = 0;
    await using server = await serve((_, response) => {
      left -= 1;
      if (left < 0) response.end(FILE);
      else response.writeHead(302, { location: '/next' }).end();
    });
    left = 5;
    await get(server.url);
    expect(target().equals(FILE)).toBe(true);
    left = 6;
    await expect(get(server.url)).rejects.toThrow('more than 5 times');
  });
});

describe('nothing wrong is left in place', () => {
  const page = '<!DOCTYPE html><title>Log in</title>';
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n';
  test.each<readonly [string, RequestListener, RegExp]>([
    ['another file', (_, response) => response.end(randomBytes(FILE.length)), /has the sha256 [0-9a-f]{64}, but/],
    ['a page', (_, response) => response.end(page), /HTML page/],
    [
      'a page that says so in its header alone',
      (_, response) => response.setHeader('content-type', 'text/html').end('x'),
      /HTML page/,
    ],
    ['a git-lfs pointer', (_, response) => response.end(pointer), /git-lfs pointer/],
    [
      'a file that is not there',
      (_, response) => response.writeHead(404).end(page),
      /answered 404: there is no such file/,
    ],
    [
      'a file that is not public',
      (_, response) => response.writeHead(403).end(),
      /answered 403: the file is not public/,
    ],
    ['too many bytes', (_, response) => response.end(Buffer.concat([FILE, FILE])), /sends more than the 300000 bytes/],
    ['too few bytes', (_, response) => response.end(FILE.subarray(1)), /sent 299999 bytes, but 300000 are expected/],
    [
      'a redirect to a file of this machine',
      (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      /not safe to follow/,
    ],
  ])('for %s', async (_, listener, error) => {
    await using server = await serve(listener);
    const had = existsSync(join(root, 'deep'));
    const fetched = get(server.url, { size: FILE.length });
    await expect(fetched).rejects.toThrow(error);
    await expect(fetched).rejects.toMatchObject({ place: { file: 'models.yml', line: 3 } });
    expect(remains()).toEqual(had ? ['m.bin'] : []);
  });

  test('for a folder that a link leads out of the repository', async () => {
    symlinkSync(tmpdir(), join(root, 'deep'));
    await expect(get('http://127.0.0.1:1/x')).rejects.toThrow('outside of the repository');
  });
});

test('what is there is not fetched, unless always; what is not there is, unless never', () => {
  const digest = { algorithm: 'sha256', hex: HEX } as const;
  const listed = [
    { path: 'a', url: 'https://example.com/a', digest, line: 1, manifest: 'models.yml' },
    { path: 'b', url: 'https://example.com/b', digest, line: 2, manifest: 'models.yml' },
    { path: 'c', digest, line: 3, manifest: 'models.yml' },
  ];
  const plan = (when: 'missing' | 'always' | 'never') =>
    planFetch(listed, when, (path) => path === 'a').map(({ path }) => path);
  expect([plan('missing'), plan('always'), plan('never')]).toEqual([['b'], ['a', 'b'], []]);
});

test('the cache gives a file by its digest, and a wrong file in it costs a download', async () => {
  await using service = await startResultsService();
  const environment = { ...service.environment(), RUNNER_TEMP: root, GITHUB_WORKSPACE: root, GITHUB_SERVER_URL: '' };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  let downloads = 0;
  await using server = await serve((_, response) => {
    downloads += 1;
    response.end(FILE);
  });
  const cache = createModelCache(root, log);
  expect(await get(server.url, {}, cache)).toBe(false);
  rmSync(join(root, 'deep'), { recursive: true });
  expect(await get(server.url, {}, cache)).toBe(true);
  expect(target().equals(FILE)).toBe(true);
  expect(downloads).toBe(1);
  expect(service.cacheEntries()).toMatchObject([{ key: `slipway-model-sha256-${HEX}` }]);

  const lying: ModelCache = {
    restore: async (_, path) => {
      writeFileSync(path, 'wrong');
      return true;
    },
    save: cache.save,
  };
  expect(await get(server.url, {}, lying)).toBe(false);
  expect(target().equals(FILE)).toBe(true);
  expect(lines.some((line) => line.includes('the cache held a wrong file'))).toBe(true);
});

describe('a transfer that is taken up', () => {
  const rangeOf = (request: IncomingMessage): number | undefined => {
    const [, start] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
    return start === undefined ? undefined : Number(start);
  };
  /** Breaks off the first answer; what comes then is up to `next`. */
  const broken = (next: RequestListener): RequestListener => {
    let count = 0;
    return (request, response) => {
      count += 1;
      if (count > 1) return void next(request, response);
      response.writeHead(200, { 'content-length': FILE.length });
      response.write(FILE.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50));
    };
  };

  test('begins anew where the server says that nothing follows', async () => {
    await using server = await serve(
      broken((request, response) => {
        if (rangeOf(request) !== undefined) response.writeHead(416).end();
        else response.end(FILE);
      }),
    );
    await get(server.url);
    expect(target().equals(FILE)).toBe(true);
    expect(lines.join('\n')).toContain('has nothing behind this byte');
  });

  test('begins anew where two files were put together, of which the server gave no sign', async () => {
    let whole = 0;
    await using server = await serve(
      broken((request, response) => {
        const start = rangeOf(request);
        if (start === undefined) {
          whole += 1;
          response.end(FILE);
          return;
        }
        response.writeHead(206, { 'content-range': `bytes ${start}-${FILE.length - 1}/${FILE.length}` });
        response.end(randomBytes(FILE.length - start));
      }),
    );
    await get(server.url);
    expect(target().equals(FILE)).toBe(true);
    expect(whole).toBe(1);
  });

  test('is given up after nine times', { timeout: 20_000 }, async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': FILE.length });
      response.write(FILE.subarray(0, 10), () => setTimeout(() => response.destroy(), 5));
    });
    await expect(get(server.url)).rejects.toThrow('broke off 9 times');
    expect(remains()).toEqual([]);
  });
});

describe('a redirect', () => {
  test.each([
    ['https://a.example/x', 'https://b.example/y', true],
    ['http://a.example/x', 'https://b.example/y', true],
    ['http://127.0.0.1/x', 'http://10.0.0.1/y', true],
    ['https://a.example/x', 'http://a.example/x', false],
    ['https://a.example/x', 'file:///etc/passwd', false],
    ['https://a.example/x', 'ftp://b.example/y', false],
    ['https://a.example/x', 'https://127.0.0.1/y', false],
    ['http://a.example/x', 'http://169.254.169.254/latest/meta-data', false],
    ['http://a.example/x', 'http://2130706433/', false],
    ['http://a.example/x', 'http://[::1]/', false],
    ['http://a.example/x', 'http://[::ffff:10.0.0.1]/', false],
    ['http://a.example/x', 'http://[fd00::1]/', false],
    ['http://a.example/x', 'http://localhost:2375/', false],
    ['http://a.example/x', 'http://metadata.google.internal./', false],
  ])('from %s to %s: %s', (from, to, isSafe) => {
    expect(isSafeRedirect(new URL(from), new URL(to))).toBe(isSafe);
  });
});

test('an address is shown without its query and its password', async () => {
  await using server = await serve((_, response) => response.writeHead(403).end());
  const secret = `${server.url.replace('http://', 'http://user:hunter2@')}?X-Amz-Signature=geheim`;
  const error = await get(secret).catch((each: unknown) => each);
  expect(String(error)).toContain('answered 403');
  expect(`${error}${lines.join('\n')}`).not.toMatch(/geheim|hunter2/);
});

test('a file that comes encoded is refused, for its digest would be that of other bytes', async () => {
  await using server = await serve((_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(FILE)),
  );
  await expect(get(server.url)).rejects.toThrow('as gzip');
  expect(remains()).toEqual([]);
});
