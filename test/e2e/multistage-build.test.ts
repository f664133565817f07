import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readPublishedImages } from '../../src/core/buildkit/published-image.ts';
import { parseRepository } from '../../src/core/registry/reference.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { runCommand } from '../../src/core/runner/command.ts';
import { type ResultsService, startResultsService } from '../harness/standins/results-service.ts';
import { baseImage, buildStep, forgetBuilds, nonce, registry, type StepResult } from './build-step.ts';
import { readRepository } from './image-layout.ts';

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

  const build = (
    inputs: Readonly<Record<string, string>>,
    environment: Readonly<Record<string, string>> = results.environment(),
  ): Promise<StepResult> =>
    buildStep({ root, workspace, inputs: { secrets: 'npm=hunter2hunter2', ...inputs }, environment });
  const row = (more: object = {}): string =>
    JSON.stringify({ image: 'web', target: 'runtime', inputs: 'a'.repeat(64), scope: nonce, ...more });
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
    const [image] = await readPublishedImages(createRegistryClient(), String(outputs['refs']));
    expect(image?.labels).toMatchObject({
      'org.opencontainers.image.title': 'web',
      'org.opencontainers.image.source': 'https://github.com/Acme/App',
      'org.opencontainers.image.revision': 'c'.repeat(40),
      'dev.slipway.inputs': 'a'.repeat(64),
    });
    // What is searched is large and binary: a failure is not to print it.
    const annotation = new RegExp(`"annotations":\\s*\\{\\s*"dev\\.slipway\\.inputs":\\s*"${'a'.repeat(64)}"`);
    expect(annotation.test(await readRepository(repository, String(outputs['digest'])))).toBe(true);
    expect(outputs).toMatchObject({
      inputs: 'a'.repeat(64),
      size: image?.size,
      digests: { 'web-linux-amd64': outputs['digest'] },
      timings: { stages: { runtime: { steps: 1 } } },
      exportPath: 'site',
    });

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
    expect(log).toMatch(
      /forbid-paths: \/srv\/[0-9a-f-]+\/index\.html in layer sha256:[0-9a-f]+ by COPY \/app\/dist \/srv/,
    );
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

  it.each([
    ['true', /^::warning title=Dockerfile check,file=Dockerfile,line=2::.*FromAsCasing/m],
    ['false', /^(?![\s\S]*Dockerfile check)/],
  ])('shows what BuildKit’s checks say at their lines, unless "dockerfile-checks" is no: %s', async (checks, said) => {
    await writeFile(join(workspace, 'Dockerfile'), `# ${nonce}\nFROM ${baseImage} as runtime\n`);
    const { failure, log } = await build({ image: row(), cache: 'off', 'dockerfile-checks': checks });
    expect(failure).toBeUndefined();
    expect(log).toMatch(said);
  });

  it('refuses a row whose context leads out of the repository by a link', async () => {
    await runCommand('ln', ['-s', '/etc', join(workspace, 'link')]);
    await expect(build({ image: row({ context: 'link' }), cache: 'off' })).rejects.toThrow(
      'leads out of the repository',
    );
  });
});
