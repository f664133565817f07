import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../../core/git/temporary-repository.ts';
import { runPlan, runPush } from '../plan-step.ts';

/** Three images in compose: three stages, six stages of which one feeds nothing, and a model. */
const REPOSITORY: Files = {
  'README.md': '# Safety\n',
  'docs/setup.md': 'x\n',
  'docker-compose.yml': `services:
  backend:
    build: { context: ./backend, target: runtime }
    ports: ["8000:8000"]
    depends_on: { yolov8-model: { condition: service_completed_successfully } }
  frontend:
    build:
      context: ./frontend
      dockerfile: Dockerfile
      target: production
      args:
        - VITE_API_URL=\${VITE_API_URL:-http://localhost:8000}
    depends_on: { backend: { condition: service_healthy } }
  yolov8-model:
    build: ./yolov8_model
  redis:
    image: redis:7
`,
  'backend/Dockerfile': `FROM python:3.10-slim AS base
RUN apt-get update && apt-get install -y libgl1 curl
FROM base AS builder
COPY requirements.txt .
RUN python -m venv /opt/venv && /opt/venv/bin/pip install -r requirements.txt
FROM base AS runtime
COPY --from=builder /opt/venv /opt/venv
COPY app.py detector.py ./
USER appuser
HEALTHCHECK CMD curl -f http://localhost:8000/stats || exit 1
CMD ["python", "app.py"]
`,
  'backend/requirements.txt': 'torch\n',
  'backend/app.py': 'x\n',
  'backend/detector.py': 'x\n',
  'backend/notes.md': 'x\n',
  'frontend/Dockerfile': `FROM node:18-alpine AS base
RUN apk add --no-cache libc6-compat
FROM base AS deps-prod
COPY package*.json ./
RUN npm ci --omit=dev
FROM base AS deps-dev
COPY package*.json ./
RUN npm ci
FROM deps-dev AS builder
ARG VITE_API_URL
COPY . .
RUN npm run build && find build -name '*.map' -delete
FROM nginx:alpine AS nginx-base
RUN rm -rf /usr/share/nginx/html/*
FROM nginx-base AS production
COPY --from=builder /app/build /usr/share/nginx/html
COPY nginx.conf /etc/nginx/conf.d/default.conf
`,
  'frontend/.dockerignore': 'node_modules\nbuild\n*.md\nDockerfile\n',
  'frontend/package.json': '{}\n',
  'frontend/package-lock.json': '{}\n',
  'frontend/nginx.conf': 'x\n',
  'frontend/README.md': 'x\n',
  'frontend/src/App.tsx': 'x\n',
  'frontend/src/old.ts': 'x\n',
  'yolov8_model/Dockerfile': `FROM alpine:3.19 AS base
FROM base AS model-prep
COPY best.pt /models/best.pt
RUN sha256sum /models/best.pt
FROM base AS runtime
COPY --from=model-prep /models /models
COPY copy_model.sh /
`,
  'yolov8_model/best.pt': 'weights\n',
  'yolov8_model/copy_model.sh': { script: '#!/bin/sh\n' },
};

const BACKEND = 'backend-linux-amd64';
const FRONTEND = 'frontend-linux-amd64';
const MODEL = 'yolov8-model-linux-amd64';

describe('a compose file of three multi-stage images', () => {
  it('gives one row for each image that is built, and none for stock services', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const { rows, outputs } = await runPlan(repository);
    expect(rows.map(({ id, context, dockerfile, target }) => [id, context, dockerfile, target])).toEqual([
      [BACKEND, 'backend', 'backend/Dockerfile', 'runtime'],
      [FRONTEND, 'frontend', 'frontend/Dockerfile', 'production'],
      [MODEL, 'yolov8_model', 'yolov8_model/Dockerfile', ''],
    ]);
    expect(rows[1]?.args).toEqual({ VITE_API_URL: 'http://localhost:8000' });
    expect(new Set(rows.map(({ scope }) => scope)).size).toBe(3);
    expect(outputs).toMatchObject({
      hasRows: true,
      count: 3,
      shardCount: 1,
      images: ['backend', 'frontend', 'yolov8-model'],
    });
  });

  const edit = (path: string, from: string, to: string): Files => ({
    [path]: String(REPOSITORY[path]).replace(from, to),
  });

  it.each<[string, Files, Record<string, RegExp>]>([
    ['a source of the frontend', { 'frontend/src/App.tsx': 'y\n' }, { [FRONTEND]: /^frontend\/src\/App.tsx changed$/ }],
    ['a deletion', { 'frontend/src/old.ts': null }, { [FRONTEND]: /^frontend\/src\/old.ts deleted$/ }],
    [
      'a rename',
      { 'frontend/src/old.ts': null, 'frontend/src/new.ts': 'x\n' },
      { [FRONTEND]: /new.ts added, frontend\/src\/old.ts deleted$/ },
    ],
    ['documents', { 'docs/setup.md': 'y\n', 'README.md': 'y\n' }, {}],
    ['a document in a context that copies named files', { 'backend/notes.md': 'y\n' }, {}],
    ['a document that the ignore file leaves out', { 'frontend/README.md': 'y\n' }, {}],
    ['the model', { 'yolov8_model/best.pt': 'other\n' }, { [MODEL]: /best.pt changed/ }],
    [
      'a stage that nothing reaches',
      edit('frontend/Dockerfile', 'npm ci --omit=dev', 'npm ci --omit=dev --silent'),
      {},
    ],
    ['a comment in a Dockerfile', edit('backend/Dockerfile', 'USER', '# not root\nUSER'), {}],
    [
      'a reached stage',
      edit('backend/Dockerfile', 'curl\n', 'curl libsm6\n'),
      { [BACKEND]: /^instructions of backend\/Dockerfile changed$/ },
    ],
    [
      'a target',
      edit('docker-compose.yml', 'target: runtime', 'target: builder'),
      { [BACKEND]: /its definition changed/ },
    ],
    [
      'an argument',
      edit('docker-compose.yml', ':8000}', ':9000}'),
      { [FRONTEND]: /instructions of frontend\/Dockerfile changed; its definition changed/ },
    ],
    ['what compose says of other things', edit('docker-compose.yml', '"8000:8000"', '"80:8000"'), {}],
    [
      'a service more',
      edit('docker-compose.yml', '  redis:', '  extra: { build: { context: ./backend, target: builder } }\n  redis:'),
      { 'extra-linux-amd64': /^it is new$/ },
    ],
  ])('builds what a change of %s touches', async (_, files, expected) => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const before = await repository.id('HEAD');
    await repository.commit(files);
    const { reasons, skipped, outputs } = await runPush(repository, before);
    expect(reasons).toEqual(
      Object.fromEntries(Object.entries(expected).map(([id, reason]) => [id, expect.stringMatching(reason)])),
    );
    expect(outputs['hasRows']).toBe(Object.keys(expected).length > 0);
    expect(Object.keys(skipped).length + Object.keys(reasons).length).toBeGreaterThanOrEqual(3);
  });

  it('counts the Dockerfile as a file where it is copied with everything else', async () => {
    await using repository = await TemporaryRepository.create({
      ...REPOSITORY,
      'frontend/.dockerignore': 'node_modules\n',
    });
    const before = await repository.id('HEAD');
    await repository.commit(edit('frontend/Dockerfile', 'npm ci --omit=dev', 'npm ci --omit=dev --silent'));
    const { reasons, log } = await runPush(repository, before);
    expect(reasons).toEqual({ [FRONTEND]: 'frontend/Dockerfile changed' });
    expect(log).toMatch(
      /all \d+ files of "frontend" are inputs, also .*Dockerfile.*; lines for them in frontend\/.dockerignore would spare builds/,
    );
  });

  it('builds what a change of mode touches', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const before = await repository.id('HEAD');
    await repository.commit({ 'backend/app.py': { script: 'x\n' } });
    expect((await runPush(repository, before)).reasons).toEqual({ [BACKEND]: 'backend/app.py changed' });
  });

  it('is an empty but valid matrix when nothing is to be built', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const before = await repository.id('HEAD');
    await repository.commit({ 'docs/setup.md': 'y\n' });
    const { outputs, summary } = await runPush(repository, before);
    expect(outputs).toMatchObject({
      matrix: { include: [] },
      hasRows: false,
      count: 0,
      shards: [],
      shardCount: 0,
      waves: [],
      images: [],
    });
    expect(summary).toContain('## Build matrix: 0 of 3 rows to build');
    expect(summary).toContain('nothing it reads changed since');
  });

  it('rebuilds everything for a path that "always" names', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const before = await repository.id('HEAD');
    await repository.commit({ 'docs/setup.md': 'y\n' });
    const { reasons } = await runPush(repository, before, { always: 'docs/**' });
    expect(Object.keys(reasons)).toHaveLength(3);
    expect(reasons[BACKEND]).toBe('everything is built: docs/setup.md changed, which "always" names');
  });

  it('names the stage that feeds nothing', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const { log } = await runPlan(repository);
    expect(log).toMatch(/::notice .*file=frontend\/Dockerfile,line=3.*::the stage deps-prod feeds no image/);
  });

  it('has equal digests in another clone, and others after a change', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    await using clone = await repository.clone();
    const inputsOf = async (of: TemporaryRepository) => (await runPlan(of)).rows.map(({ inputs }) => inputs);
    const first = await inputsOf(repository);
    expect(await inputsOf(clone)).toEqual(first);
    await repository.commit({ 'frontend/src/App.tsx': 'y\n' });
    const second = await inputsOf(repository);
    expect(second.map((digest, index) => digest === first[index])).toEqual([true, false, true]);
  });

  it('draws what is built from what', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const { summary } = await runPlan(repository);
    expect(summary).toContain('```mermaid\ngraph LR\n');
    expect(summary).toContain('(["nginx:alpine"])');
  });
});

describe('mistakes that are found before anything is built', () => {
  it.each<[string, Files, RegExp]>([
    ['a Dockerfile of 0 bytes', { 'backend/Dockerfile': '' }, /"backend\/Dockerfile" is empty/],
    ['a Dockerfile that is not there', { 'backend/Dockerfile': null }, /"backend\/Dockerfile", is not in this commit/],
    [
      'a target that is no stage',
      { 'docker-compose.yml': 'services:\n  b:\n    build: { context: backend, target: prod }\n' },
      /no stage "prod"/,
    ],
  ])('%s is an error', async (_, files, message) => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    await repository.commit(files);
    await expect(runPlan(repository)).rejects.toThrow(message);
  });

  it.each<[string, Files, RegExp]>([
    [
      'a source outside the context',
      { 'yolov8_model/Dockerfile': 'FROM alpine\nCOPY ../Testing/best.pt /m\n', 'Testing/best.pt': 'w' },
      /file=yolov8_model\/Dockerfile,line=2.*::"Testing\/best.pt" is not in the context "yolov8_model"; there is "Testing\/best.pt"/,
    ],
    [
      'a wrong path',
      { 'backend/Dockerfile': 'FROM a AS runtime\n\nCOPY src/app.py /x\n' },
      /file=backend\/Dockerfile,line=3.*::"src\/app.py" is not in the context "backend"/,
    ],
    [
      'a source that the ignore file leaves out',
      { 'backend/.dockerignore': '*.py\n' },
      /::"app.py" is left out of the context "backend" by backend\/.dockerignore/,
    ],
    [
      'a source that git ignores',
      { '.gitignore': '*.pt\n', 'yolov8_model/best.pt': null },
      /::"best.pt" is not in a clean checkout: git ignores "yolov8_model\/best.pt"/,
    ],
  ])('%s is annotated at its line', async (_, files, message) => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    await repository.commit(files);
    const { log, outputs } = await runPlan(repository);
    expect(log).toMatch(message);
    expect(log).toContain('::warning');
    expect(outputs['count']).toBe(3);
    await expect(runPlan(repository, { inputs: { 'static-checks': 'error' } })).rejects.toThrow(/static checks failed/);
    expect((await runPlan(repository, { inputs: { 'static-checks': 'off' } })).log).not.toContain('::warning');
  });
});
