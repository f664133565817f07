import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { contract } from '../../src/actions/multistage-build/contract.ts';
import { run } from '../../src/actions/multistage-build/run.ts';
import { parseRepository } from '../../src/core/registry/reference.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { runCommand } from '../../src/core/runner/command.ts';
import { readEvent } from '../../src/core/runner/event.ts';
import { readInputs } from '../../src/core/runner/inputs.ts';
import { createLog } from '../../src/core/runner/log.ts';
import { ActionFailure } from '../../src/core/runner/run-action.ts';
import { type ResultsService, startResultsService } from '../harness/standins/results-service.ts';
import { serviceAddress } from './service-address.ts';

/** `host:port` of a registry that anybody may push to, and an image in it that has a shell. */
const registry = serviceAddress('SLIPWAY_REGISTRY');
const baseImage = serviceAddress('SLIPWAY_BASE_IMAGE');
/** Stands in every instruction, so that no earlier build has them in its cache and they alone can be pruned. */
const nonce = randomUUID();

const dockerfile = `FROM ${baseImage} AS deps
RUN echo "deps ${nonce}" && mkdir /deps && echo 1 > /deps/lock
FROM deps AS builder
ARG MODE=dev
RUN --mount=type=secret,id=npm echo "builder ${nonce} $MODE $(wc -c < /run/secrets/npm)" && mkdir -p /app/dist \\
  && echo "$MODE" > /app/dist/index.html && chmod 640 /app/dist/index.html
FROM ${baseImage} AS runtime
COPY --from=builder /app/dist /srv/${nonce}
USER 1000
`;

describe('a build with the real engine', () => {
  let root = '';
  let workspace = '';
  let results: ResultsService;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
  });
  afterAll(() => rm(root, { recursive: true }));
  beforeEach(async () => {
    workspace = await mkdtemp(join(root, 'workspace-'));
    await writeFile(join(workspace, 'Dockerfile'), dockerfile);
    results = await startResultsService();
  });
  afterEach(() => results[Symbol.asyncDispose]());

  async function build(
    texts: Readonly<Record<string, string>>,
    environment: Readonly<Record<string, string>> = results.environment(),
  ) {
    const temp = await mkdtemp(join(root, 'temp-'));
    const lines: string[] = [];
    const log = createLog((line) => lines.push(line), { debug: false });
    const given = { network: 'none', secrets: 'npm=hunter2hunter2', ...texts };
    const inputs = Object.entries(given).map(([name, text]) => [`INPUT_${name.toUpperCase()}`, text]);
    const runner = {
      GITHUB_REPOSITORY: 'Acme/App',
      GITHUB_SHA: 'c'.repeat(40),
      GITHUB_REF: 'refs/heads/main',
      GITHUB_EVENT_NAME: 'push',
    };
    const { ACTIONS_RESULTS_URL: _url, ACTIONS_RUNTIME_TOKEN: _token, ...own } = process.env;
    const all = { ...own, ...runner, ...environment, ...Object.fromEntries(inputs) };
    const context = {
      event: readEvent(all),
      environment: all,
      workspace,
      temp,
      log,
      runCommand,
      state: { save: () => undefined, get: () => undefined },
    };
    const result = await run(readInputs(contract, all, log), context).catch((error: unknown) => {
      if (error instanceof ActionFailure) return { ...error.result, failure: error.message };
      throw error;
    });
    return {
      ...result,
      outputs: (result.outputs ?? {}) as Readonly<Record<string, unknown>>,
      failure: 'failure' in result ? result.failure : undefined,
      log: lines.join('\n'),
      temp,
    };
  }
  const row = (more: object = {}): string =>
    JSON.stringify({ image: 'web', target: 'runtime', inputs: 'a'.repeat(64), scope: nonce, ...more });
  /** The engine lets go of a build's records a moment after the build has ended, and a prune leaves out what is in use. */
  async function forgetBuilds(): Promise<void> {
    const filter = ['--filter', `description~=${nonce}`];
    await expect
      .poll(
        async () => {
          await runCommand('docker', ['buildx', 'prune', '--all', '--force', ...filter]);
          return (await runCommand('docker', ['buildx', 'du', '--verbose', ...filter])).stdout;
        },
        { timeout: 30_000, interval: 500 },
      )
      .not.toContain(nonce);
  }

  it('pushes by digest, exports a folder with its modes, and leaves a record', async () => {
    const { outputs, temp } = await build({
      image: row({ export: 'builder:/app/dist=site' }),
      push: 'by-digest',
      registry,
    });
    const repository = `${registry}/acme/app/web`;
    expect(outputs['refs']).toBe(`${repository}@${String(outputs['digest'])}`);
    const stored = await createRegistryClient().findManifest(parseRepository(repository), String(outputs['digest']));
    expect(stored?.digest).toBe(outputs['digest']);

    expect(await readFile(join(workspace, 'site', 'index.html'), 'utf8')).toBe('dev\n');
    expect((await stat(join(workspace, 'site', 'index.html'))).mode & 0o777).toBe(0o640);
    expect(results.artifacts().map(({ name }) => name)).toEqual(['slipway-build-web-linux-amd64']);
    expect(await readdir(temp)).toEqual([]);
  });

  it('finds every step in the cache of GitHub when the builder has forgotten them', async () => {
    const args = { args: { MODE: randomUUID() } };
    await build({ image: row(args) });
    expect(results.cacheEntries().length).toBeGreaterThan(0);
    await forgetBuilds();
    expect((await build({ image: row(args), cache: 'off' })).log).not.toMatch(/RUN .*CACHED/);
    await forgetBuilds();
    const { outputs, log } = await build({ image: row(args) });
    expect(log).toMatch(/builder 1\/1 RUN .*CACHED/);
    expect(log).toMatch(/deps 2\/2 RUN .*CACHED/);
    expect(outputs['cacheHits']).toEqual({ cached: 3, steps: 3 });
  });

  it('is done when the cache is down, and says so', async () => {
    const environment = results.environment();
    await results[Symbol.asyncDispose]();
    const { failure, log } = await build({ image: row({ args: { MODE: randomUUID() } }) }, environment);
    expect(failure).toBeUndefined();
    expect(log).toContain('exporting to GitHub Actions Cache failed, and the build went on without it');
  });

  it('is done when the cache answers too slowly', async () => {
    results.slow(20_000);
    const { failure, log } = await build({ image: row({ args: { MODE: randomUUID() } }), 'cache-timeout': '2s' });
    results.slow(0);
    expect(failure).toBeUndefined();
    expect(log).toContain('took longer than 2 s');
  });

  it('is done when the cache is full, which BuildKit would ask again and again', async () => {
    results.full();
    const { failure, log } = await build({ image: row({ args: { MODE: randomUUID() } }), 'cache-timeout': '3s' });
    expect(failure).toBeUndefined();
    expect(log).toMatch(/the build (?:is done|went on) without it/);
  });

  it('is done when the cache’s own set-up fails', async () => {
    const { failure, log } = await build(
      { image: row() },
      { ...results.environment(), ACTIONS_RUNTIME_TOKEN: 'no-token' },
    );
    expect(failure).toBeUndefined();
    expect(log).toContain('the build is done without it');
  });

  it('builds the stages that variants share once', async () => {
    const shared = randomUUID();
    await writeFile(join(workspace, 'Dockerfile'), dockerfile.replace('deps ', `${shared} `));
    const rows = ['cpu', 'gpu'].map((variant): unknown => JSON.parse(row({ variant, args: { MODE: variant } })));
    const { outputs, log } = await build({ image: JSON.stringify(rows), push: 'by-digest', registry });
    expect(log.match(new RegExp(`RUN echo "${shared}`, 'g'))?.length).toBe(1);
    const digests = outputs['digests'] as Readonly<Record<string, string>>;
    expect(Object.keys(digests)).toEqual(['web-cpu-linux-amd64', 'web-gpu-linux-amd64']);
    expect(new Set(Object.values(digests)).size).toBe(2);
  });

  it('that fails shows where, why, and how to repeat it', async () => {
    await mkdir(join(workspace, 'docker'));
    await writeFile(
      join(workspace, 'docker', 'web.Dockerfile'),
      `FROM ${baseImage} AS builder\nRUN true\nRUN echo "${nonce}" && \\\n  echo "no such package" >&2 && exit 4\n`,
    );
    const { failure, log, outputs } = await build({
      image: row({ target: '', dockerfile: 'docker/web.Dockerfile' }),
      cache: 'off',
    });
    expect(failure).toMatch(/^the build failed: build 3\/3 RUN echo/);
    expect(log).toMatch(
      /::error title=Stage build failed at its step 3\/3,file=docker\/web\.Dockerfile,line=3,endLine=4::.*exit code: 4/,
    );
    expect(log).toContain('  no such package');
    expect(log).toContain('docker buildx bake --file docker-bake.json');
    expect(outputs['definition']).toContain('"dockerfile": "docker/web.Dockerfile"');
  });

  it('pushes nothing that fails a check, and names layer and instruction', async () => {
    const tag = `${registry}/checks/${nonce}:1`;
    const { failure, log } = await build({
      context: '.',
      target: 'runtime',
      tags: tag,
      push: 'true',
      cache: 'off',
      'forbid-paths': '**/*.html',
      require: 'non-root,healthcheck',
    });
    expect(failure).toBe('2 checks on the image failed; nothing was pushed');
    expect(log).toMatch(/forbid-paths: \/srv\/[0-9a-f-]+\/index\.html in layer sha256:[0-9a-f]+ by COPY \/app\/dist \/srv/);
    expect(
      await createRegistryClient().findDigest(parseRepository(`${registry}/checks/${nonce}`), '1'),
    ).toBeUndefined();
  });

  it('pushes under tags what passed its checks', async () => {
    const repository = `${registry}/checked/${nonce}`;
    const { outputs } = await build({
      context: '.',
      target: 'runtime',
      tags: `${repository}:1\n${repository}:2`,
      push: 'true',
      cache: 'off',
      require: 'non-root',
      'max-size': '1GB',
    });
    const client = createRegistryClient();
    for (const tag of ['1', '2'])
      expect(await client.findDigest(parseRepository(repository), tag)).toBe(outputs['digest']);
  });

  it('keeps secrets out of the log, the outputs and the arguments of programs', async () => {
    const argv = join(root, `argv-${randomUUID()}`);
    const wrapper = await mkdtemp(join(root, 'bin-'));
    const docker = (await runCommand('sh', ['-c', 'command -v docker'])).stdout.trim();
    await writeFile(join(wrapper, 'docker'), `#!/bin/sh\nprintf '%s\\n' "$@" >> ${argv}\nexec ${docker} "$@"\n`);
    await chmod(join(wrapper, 'docker'), 0o755);
    const service = results.environment();
    const environment = { ...service, PATH: `${wrapper}:${process.env['PATH'] ?? ''}` };
    const { outputs, log, summary } = await build(
      { image: row(), push: 'by-digest', registry, username: 'me', password: 'pass1234' },
      environment,
    );
    const token = service['ACTIONS_RUNTIME_TOKEN'] ?? '';
    const seen = [
      log.replace(/^::add-mask::.*$/gm, ''),
      JSON.stringify(outputs),
      summary ?? '',
      await readFile(argv, 'utf8'),
    ].join('\n');
    for (const secret of ['hunter2', 'pass1234', Buffer.from('me:pass1234').toString('base64'), token])
      expect(seen.includes(secret)).toBe(false);
    expect(log).toContain('::add-mask::hunter2hunter2');
  });

  it('refuses a row whose context leads out of the repository by a link', async () => {
    await runCommand('ln', ['-s', '/etc', join(workspace, 'link')]);
    await expect(build({ image: row({ context: 'link' }), cache: 'off' })).rejects.toThrow(
      'leads out of the repository',
    );
  });
});
