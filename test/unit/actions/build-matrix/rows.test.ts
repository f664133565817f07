import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../core/git/temporary-repository.ts';
import { runPlan, runPush } from './plan-step.ts';

async function plan(files: Files, inputs: Record<string, string> = {}) {
  await using repository = await TemporaryRepository.create(files);
  return await runPlan(repository, { inputs });
}

const GPU: Files = {
  '.github/images.yml': `images:
  worker:
    context: backend
    variants:
      cpu: { dockerfile: Dockerfile_CPU }
      gpu: { dockerfile: Dockerfile, runner: gpu-large }
  api:
    context: backend
    dockerfile: Dockerfile_CPU
    platforms: [linux/amd64, linux/arm64]
    models: [models/*.pt]
    export: /app/dist
`,
  'backend/Dockerfile': 'FROM tensorflow/tensorflow:2.9.2-gpu\nCOPY . /app\n',
  'backend/Dockerfile_CPU': 'FROM tensorflow/tensorflow:2.9.2\nCOPY . /app\n',
  'backend/f': '1',
};

describe('rows', () => {
  it('multiply variants and platforms, each with a cache scope of its own', async () => {
    const { rows } = await plan(GPU);
    expect(rows.map(({ id, runner, suffix }) => [id, runner, suffix])).toEqual([
      ['worker-cpu-linux-amd64', 'ubuntu-24.04', '-cpu'],
      ['worker-gpu-linux-amd64', 'gpu-large', '-gpu'],
      ['api-linux-amd64', 'ubuntu-24.04', ''],
      ['api-linux-arm64', 'ubuntu-24.04-arm', ''],
    ]);
    expect(new Set(rows.map(({ scope }) => scope)).size).toBe(4);
    expect(rows[2]).toMatchObject({ models: ['models/*.pt'], export: '/app/dist' });
  });

  it('know a GPU image by its base: it keeps less cache and needs more disk', async () => {
    const { rows } = await plan(GPU);
    expect(rows.map((row) => [row.variant, row['cache-mode'], row['free-disk-space']])).toEqual([
      ['cpu', 'max', false],
      ['gpu', 'min', true],
      ['', 'max', false],
      ['', 'max', false],
    ]);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['include an image', { include: 'api' }, ['api-linux-amd64', 'api-linux-arm64']],
    ['include a variant', { include: 'gpu' }, ['worker-gpu-linux-amd64']],
    ['include a platform', { include: '*/arm64' }, ['api-linux-arm64']],
    ['exclude', { exclude: 'worker-*\nlinux/arm64' }, ['api-linux-amd64']],
    ['exclude what include takes', { include: 'worker', exclude: 'gpu' }, ['worker-cpu-linux-amd64']],
    ['include all but one', { include: '!api' }, ['worker-cpu-linux-amd64', 'worker-gpu-linux-amd64']],
  ])('are filtered: %s', async (_, inputs, expected) => {
    const { rows } = await plan(GPU, inputs);
    expect(rows.map(({ id }) => id)).toEqual(expected);
  });

  it('take the most specific runner', async () => {
    const { rows } = await plan(GPU, {
      runners: 'default=own\nlinux/arm64=arm\napi=api-runner\napi-linux-arm64=exact',
    });
    expect(rows.map(({ runner }) => runner)).toEqual(['own', 'gpu-large', 'api-runner', 'exact']);
  });

  it('take the platforms of the input where a definition names none', async () => {
    const { rows } = await plan(GPU, { platforms: 'linux/arm64', include: 'cpu' });
    expect(rows.map(({ id }) => id)).toEqual(['worker-cpu-linux-arm64']);
  });

  it('come in shards, with a warning', async () => {
    const { outputs, log } = await plan(GPU, { 'max-rows': '3' });
    expect(outputs['shards']).toMatchObject([{ include: { length: 3 } }, { include: { length: 1 } }]);
    expect(outputs['shardCount']).toBe(2);
    expect(log).toMatch(/::warning.*build from the output "shards"/);
  });

  it('refuse two that have one id', async () => {
    const files = {
      '.github/images.yml': 'images:\n  a-b: {}\n  a: { variants: { b: {} } }\n',
      Dockerfile: 'FROM scratch\n',
    };
    await expect(plan(files)).rejects.toThrow(/make rows of one id, "a-b-linux-amd64"/);
  });

  it('read only what "only" and "ignore" leave of a whole context', async () => {
    await using repository = await TemporaryRepository.create({
      '.github/images.yml': 'images:\n  a: { only: [src, package.json], ignore: ["**/*.md"] }\n',
      Dockerfile: 'FROM scratch\nCOPY . /\n',
      'src/a.js': '1',
      'src/a.md': '1',
      'package.json': '{}',
      other: '1',
    });
    for (const [path, isBuilt] of [
      ['other', false],
      ['src/a.md', false],
      ['src/a.js', true],
      ['package.json', true],
    ] as const) {
      const before = await repository.id('HEAD');
      await repository.commit({ [path]: '2' });
      expect([path, (await runPush(repository, before)).outputs['hasRows']]).toEqual([path, isBuilt]);
    }
  });

  it('that copy everything are told the ignore file that would help, less what another names', async () => {
    const files = {
      '.github/images.yml': 'images:\n  a: {}\n  b: { dockerfile: b.Dockerfile }\n  c: { context: c, only: [f] }\n',
      Dockerfile: 'FROM scratch\nCOPY . /\n',
      'b.Dockerfile': 'FROM scratch\nCOPY docs/guide /g\n',
      'c/Dockerfile': 'FROM scratch\nCOPY . /\n',
      'c/README.md': '',
      'c/f': '',
      'docs/guide/f': '',
      'tests/f': '',
      'README.md': '',
    };
    const { summary, log } = await plan(files);
    expect(summary).toContain(
      '<code>Dockerfile</code>: 9 files are inputs. Lines for <code>.dockerignore</code>:\n\n```\n.github\nDockerfile\nREADME.md\ntests\n```',
    );
    expect(summary).not.toContain('c/.dockerignore');
    expect(log.match(/title=Reads everything/g)).toHaveLength(1);
  });

  it('do not ask for model files in the checkout', async () => {
    const files = {
      '.github/images.yml': 'images:\n  m: { models: [m/best.pt] }\n',
      Dockerfile: 'FROM scratch\nCOPY m/best.pt /\n',
    };
    expect((await plan(files)).log).not.toContain('::warning');
  });
});

const PARENT: Files = {
  'docker/docker-compose.yml': `services:
  node:
    image: mlprod.node:1.0
    build: { context: .., dockerfile: ./docker/Dockerfile.node }
  api:
    image: mlprod.api:1.0
    build: { context: .., dockerfile: ./docker/Dockerfile.api }
  worker:
    build: { context: .., dockerfile: ./docker/Dockerfile.worker }
  db: { image: "postgres:\${PG_VERSION}" }
`,
  'docker/Dockerfile.node': 'FROM python:3.11\nCOPY database /d\n',
  'docker/Dockerfile.api': 'FROM mlprod.node:1.0\nCOPY api /a\n',
  'docker/Dockerfile.worker': 'FROM python:3.11\nCOPY worker /w\n',
  'database/f': '1',
  'api/f': '1',
  'worker/f': '1',
};

describe('images that are built from each other', () => {
  it('come in waves, and the local name leads to the row that was just built', async () => {
    const { rows, outputs } = await plan(PARENT);
    expect(rows.map(({ image, wave, needs, contexts }) => ({ image, wave, needs, contexts }))).toEqual([
      { image: 'node', wave: 0, needs: [], contexts: {} },
      { image: 'worker', wave: 0, needs: [], contexts: {} },
      { image: 'api', wave: 1, needs: ['node-linux-amd64'], contexts: { 'mlprod.node:1.0': 'row:node-linux-amd64' } },
    ]);
    expect(outputs['waves']).toMatchObject([
      { include: [{ image: 'node' }, { image: 'worker' }] },
      { include: [{ image: 'api' }] },
    ]);
  });

  it('are built when what they are built from changes', async () => {
    await using repository = await TemporaryRepository.create(PARENT);
    const before = await repository.id('HEAD');
    await repository.commit({ 'database/f': '2' });
    expect((await runPush(repository, before)).reasons).toEqual({
      'node-linux-amd64': 'database/f changed',
      'api-linux-amd64': 'an image it is built from changed',
    });
  });

  it('bring along what they are built from', async () => {
    await using repository = await TemporaryRepository.create(PARENT);
    const before = await repository.id('HEAD');
    await repository.commit({ 'api/f': '2' });
    expect((await runPush(repository, before)).reasons).toEqual({
      'node-linux-amd64': 'api is built from it',
      'api-linux-amd64': 'api/f changed',
    });
  });

  it('take a parent that is excluded from where the Dockerfile says', async () => {
    const { rows } = await plan(PARENT, { exclude: 'node' });
    expect(rows.find(({ image }) => image === 'api')).toMatchObject({ needs: [], contexts: {} });
  });

  it('are linked by contexts and by "needs", in their own variant', async () => {
    const { rows } = await plan({
      '.github/images.yml': `images:
  base: { variants: { cpu: {}, gpu: { args: { KIND: gpu } } } }
  app:
    dockerfile: app.Dockerfile
    additional_contexts: { parent: "service:base", assets: ./web }
    variants: { cpu: {}, gpu: {} }
  later: { dockerfile: later.Dockerfile, needs: [one] }
  one: { dockerfile: Dockerfile }
`,
      Dockerfile: 'FROM scratch\n',
      'app.Dockerfile': 'FROM parent\nCOPY --from=assets logo /\n',
      'later.Dockerfile': 'ARG T=1\nFROM ghcr.io/o/one:$T\n',
      'web/logo': 'x',
    });
    expect(Object.fromEntries(rows.map(({ id, contexts }) => [id, contexts]))).toMatchObject({
      'app-cpu-linux-amd64': { parent: 'row:base-cpu-linux-amd64', assets: 'web' },
      'app-gpu-linux-amd64': { parent: 'row:base-gpu-linux-amd64', assets: 'web' },
      'later-linux-amd64': { 'ghcr.io/o/one:1': 'row:one-linux-amd64' },
    });
  });

  it('without platforms of their own have those of the images that are built from them', async () => {
    const { rows } = await plan({
      '.github/images.yml': `images:
  app: { needs: [middle], platforms: [linux/amd64, linux/arm64] }
  middle: { needs: [bottom] }
  bottom: {}
  other: {}
`,
      Dockerfile: 'FROM scratch\n',
    });
    expect(rows.map(({ id }) => id).sort()).toEqual([
      'app-linux-amd64',
      'app-linux-arm64',
      'bottom-linux-amd64',
      'bottom-linux-arm64',
      'middle-linux-amd64',
      'middle-linux-arm64',
      'other-linux-amd64',
    ]);
  });

  it('read everything on a parent that defers a COPY', async () => {
    await using repository = await TemporaryRepository.create({
      'compose.yml': 'services:\n  p: { image: p:1, build: ./p }\n  c: { build: ./c }\n',
      'p/Dockerfile': 'FROM scratch\nONBUILD COPY . /app\n',
      'c/Dockerfile': 'FROM p:1\n',
      'c/f': '1',
    });
    const before = await repository.id('HEAD');
    await repository.commit({ 'c/f': '2' });
    expect((await runPush(repository, before)).reasons['c-linux-amd64']).toBe('c/f changed');
  });

  it.each<[string, string, RegExp]>([
    ['a circle', 'images:\n  a: { needs: [b] }\n  b: { needs: [a] }\n', /in a circle: a-linux-amd64, b-linux-amd64/],
    ['a parent that is not defined', 'images:\n  a: { needs: [c] }\n', /needs the image "c", which is not defined/],
    [
      'a parent for another platform',
      'images:\n  a: { needs: [b], platforms: [linux/arm64] }\n  b: { platforms: [linux/amd64] }\n',
      /not built for linux\/arm64/,
    ],
  ])('refuse %s', async (_, config, message) => {
    await expect(plan({ '.github/images.yml': config, Dockerfile: 'FROM scratch\n' })).rejects.toThrow(message);
  });
});
