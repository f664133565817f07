import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../../core/git/temporary-repository.ts';
import { runPlan, runPush } from '../plan-step.ts';

const GPU_BASE = 'tensorflow/tensorflow:2.9.2-gpu';
const CPU_BASE = 'tensorflow/tensorflow:2.9.2';

const backend = (base: string): string => `FROM ${base}
RUN apt-get update && apt-get install -y libgdal-dev python3-opencv
COPY docker/ramp/docker-requirements.txt docker/ramp/docker-requirements.txt
COPY requirements.txt api-requirements.txt ./
RUN pip install -r requirements.txt -r api-requirements.txt
WORKDIR /app
COPY . /app
`;

const compose = (worker: string): string => `services:
  postgres: { image: postgis/postgis }
  redis: { image: redis }
  backend-api:
    build: { context: ./backend, dockerfile: Dockerfile_CPU }
    volumes: ["\${RAMP_HOME}:/RAMP_HOME"]
  backend-worker:
    build: { context: ./backend, dockerfile: ${worker} }
  worker-dashboard: { image: mher/flower }
  frontend:
    build: { context: ./frontend, dockerfile: Dockerfile.frontend }
`;

/** API, GPU worker and frontend: compose in a pair, two vendored Dockerfiles, a submodule in the context, no .dockerignore. */
const REPOSITORY: Files = {
  LICENSE: 'AGPL\n',
  'README.md': 'x\n',
  'docs/Docker-installation.md': 'x\n',
  'docker-compose.yml': compose('Dockerfile'),
  'docker-compose-cpu.yml': compose('Dockerfile_CPU'),
  'backend/Dockerfile': backend(GPU_BASE),
  'backend/Dockerfile_CPU': backend(CPU_BASE),
  'backend/Dockerfile.API': backend(CPU_BASE),
  'backend/requirements.txt': 'x\n',
  'backend/api-requirements.txt': 'x\n',
  'backend/docker/ramp/docker-requirements.txt': 'x\n',
  'backend/docker/ramp/solaris/LICENSE.txt': 'Apache\n',
  'backend/docker/ramp/solaris/docker/cpu/Dockerfile': 'FROM nvidia/cuda:9.2-devel-ubuntu16.04\n',
  'backend/docker/ramp/solaris/docker/gpu/Dockerfile': 'FROM nvidia/cuda:9.2-devel-ubuntu16.04\n',
  'backend/core/views.py': 'x\n',
  'backend/ramp-code': { submodule: '1'.repeat(40) },
  'frontend/Dockerfile.frontend': `FROM node:22 AS build
ARG VITE_BASE_API_URL
WORKDIR /app
COPY package.json pnpm-lock.yaml ./
RUN corepack enable && pnpm install
COPY . .
RUN pnpm build
FROM alpine:latest AS export
COPY --from=build /app/dist /app/dist
`,
  'frontend/package.json': '{}\n',
  'frontend/pnpm-lock.yaml': 'x\n',
  'frontend/src/App.tsx': 'x\n',
};

const API = 'backend-api-linux-amd64';
const GPU = 'backend-worker-gpu-linux-amd64';
const CPU = 'backend-worker-cpu-linux-amd64';
const FRONTEND = 'frontend-linux-amd64';

describe('API, GPU worker and frontend in a pair of compose files', () => {
  it('are one image each; what differs between the two files is a variant', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const { rows } = await runPlan(repository);
    expect(rows.map((row) => [row.id, row.dockerfile, row.suffix, row['cache-mode'], row['free-disk-space']])).toEqual([
      [API, 'backend/Dockerfile_CPU', '', 'max', false],
      [GPU, 'backend/Dockerfile', '-gpu', 'min', true],
      [CPU, 'backend/Dockerfile_CPU', '-cpu', 'max', false],
      [FRONTEND, 'frontend/Dockerfile.frontend', '', 'max', false],
    ]);
    expect(new Set(rows.map(({ scope }) => scope)).size).toBe(4);
  });

  it.each<[string, Files, string[]]>([
    ['documents', { 'docs/Docker-installation.md': 'y\n', 'README.md': 'y\n' }, []],
    ['code of the backend', { 'backend/core/views.py': 'y\n' }, [API, GPU, CPU]],
    ['the submodule', { 'backend/ramp-code': { submodule: '2'.repeat(40) } }, [API, GPU, CPU]],
    ['the frontend', { 'frontend/src/App.tsx': 'y\n' }, [FRONTEND]],
    ['a deletion', { 'frontend/src/App.tsx': null }, [FRONTEND]],
    [
      'a service that is not built',
      { 'docker-compose.yml': compose('Dockerfile').replace('redis }', 'redis:7 }') },
      [],
    ],
    [
      'one definition, and no other',
      {
        'docker-compose.yml': compose('Dockerfile').replace(
          'dockerfile: Dockerfile }',
          'dockerfile: Dockerfile, args: { A: 1 } }',
        ),
      },
      [GPU],
    ],
  ])('%s', async (_, files, expected) => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const before = await repository.id('HEAD');
    await repository.commit(files);
    const { reasons } = await runPush(repository, before);
    expect(Object.keys(reasons).sort()).toEqual([...expected].sort());
  });

  it('read the whole context, so a change of a Dockerfile beside counts: said, with the lines that would help', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const before = await repository.id('HEAD');
    await repository.commit({ 'backend/Dockerfile.API': backend('python:3.8') });
    const { reasons, summary, log } = await runPush(repository, before);
    expect(reasons[GPU]).toBe('backend/Dockerfile.API changed');
    expect(log).toMatch(
      /::notice title=Reads everything,file=backend\/Dockerfile,line=7::all \d+ files of "backend" are inputs/,
    );
    expect(summary).toMatch(
      /Lines for <code>backend\/.dockerignore<\/code>:\n\n```\nDockerfile\nDockerfile.API\nDockerfile_CPU\n```/,
    );
  });
});

describe('the same repository without compose', () => {
  it('has variants by file name and base image; vendored folders are passed over, and their names decide nothing', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const { rows, summary } = await runPlan(repository, { inputs: { source: 'dockerfiles' } });
    expect(rows.map(({ image, variant, dockerfile, context }) => [image, variant, dockerfile, context])).toEqual([
      ['backend', 'gpu', 'backend/Dockerfile', 'backend'],
      ['api', '', 'backend/Dockerfile.API', 'backend'],
      ['backend', 'cpu', 'backend/Dockerfile_CPU', 'backend'],
      ['frontend', '', 'frontend/Dockerfile.frontend', 'frontend'],
    ]);
    expect(summary).toContain('2 Dockerfiles passed over');
    const asked = await runPlan(repository, { inputs: { files: 'backend/docker/**/Dockerfile' } });
    expect(asked.rows.map(({ variant, image }) => [image, variant])).toEqual([
      ['solaris-cpu', ''],
      ['solaris', 'gpu'],
    ]);
    expect(asked.rows.every((row) => row['free-disk-space'])).toBe(true);
  });

  it('has variants by the argument that selects the base, and several images from one file by definition', async () => {
    await using repository = await TemporaryRepository.create({
      'backend/Dockerfile': `ARG BUILD_TYPE=cpu
FROM ghcr.io/hotosm/fair-utilities:latest-\${BUILD_TYPE} AS app
FROM app AS predictor
COPY predictor /p
FROM app
COPY app /a
`,
      'backend/app/f': '1',
      'backend/predictor/f': '1',
    });
    const plain = await runPlan(repository);
    expect(plain.rows.map(({ id, args, suffix }) => [id, args, suffix])).toEqual([
      ['backend-cpu-linux-amd64', { BUILD_TYPE: 'cpu' }, '-cpu'],
      ['backend-gpu-linux-amd64', { BUILD_TYPE: 'gpu' }, '-gpu'],
    ]);
    expect(plain.rows.map((row) => row['cache-mode'])).toEqual(['max', 'min']);
    const variants = 'variants: { cpu: {}, gpu: { args: { BUILD_TYPE: gpu } } }';
    await repository.commit({
      '.github/images.yml': `images:\n  api: { context: backend, ${variants} }\n  predictor: { context: backend, target: predictor, ${variants} }\n`,
    });
    const before = await repository.id('HEAD');
    await repository.commit({ 'backend/predictor/f': '2' });
    expect(Object.keys((await runPush(repository, before)).reasons)).toEqual([
      'predictor-cpu-linux-amd64',
      'predictor-gpu-linux-amd64',
    ]);
  });
});

describe('its workflows', () => {
  const workflow = (file: string): string => `on: { push: { branches: [main, develop] } }
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: backend/
          file: ${file}
          cache-from: type=gha,scope=api
          cache-to: type=gha,mode=max,scope=api,ignore-error=true
`;
  it('share a cache scope between two Dockerfiles, and wait for a branch that does not exist', async () => {
    await using origin = await TemporaryRepository.create({
      ...REPOSITORY,
      '.github/workflows/docker_build.yml': workflow('backend/Dockerfile_CPU'),
      '.github/workflows/docker_publish.yml': workflow('backend/Dockerfile.API'),
    });
    await using clone = await origin.clone('--depth=1');
    const { log } = await runPlan(clone);
    expect(log).toContain(
      '::warning title=Cache scope,file=.github/workflows/docker_publish.yml,line=11::the cache scope "api" of "backend/Dockerfile.API" is also that of "backend/Dockerfile_CPU" (.github/workflows/docker_build.yml:11)',
    );
    expect(log).toContain('"push" waits for the branch "develop", which does not exist');
    await expect(runPlan(clone, { inputs: { 'static-checks': 'error' } })).rejects.toThrow(/3 static checks failed/);
  });
});
