import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../../core/git/temporary-repository.ts';
import { runPlan, runPush } from '../plan-step.ts';

const dockerfile = (name: string, folders: string): string => `FROM python:3.10 AS compiler
COPY requirements.${name}.txt requirements.txt
RUN python -m venv /opt/venv && /opt/venv/bin/pip install -r requirements.txt
FROM python:3.10-slim AS runner
COPY --from=compiler /opt/venv /opt/venv
${folders
  .split(' ')
  .map((folder) => `COPY ./${folder} ./${folder}`)
  .join('\n')}
`;

/** Seven services of which two are built; variables without a value; ignore patterns that hold for the root only. */
const REPOSITORY: Files = {
  '.dockerignore': '*.pyc\n*env\n',
  'docker-compose.yaml': `services:
  api:
    build: { context: ., dockerfile: Dockerfile.api }
    env_file: .env
    environment: { DATABASE_URL: "postgresql://\${DATABASE_USER}:\${DATABASE_PASS}@\${DATABASE_HOST}/\${DATABASE_SCHEMA}" }
    labels: ["traefik.http.routers.api.rule=Host(\`api.\${DOMAIN}\`)"]
  worker:
    build: { context: ., dockerfile: Dockerfile.worker, args: ["QUEUE=\${CELERY_QUEUE}"] }
  redis: { image: redis:alpine }
  database: { image: postgres, environment: { POSTGRES_DB: "\${DATABASE_SCHEMA}" } }
  rabbitmq: { image: rabbitmq }
  prometheus: { image: prom/prometheus }
  grafana: { image: grafana/grafana, environment: { GF_SECURITY_ADMIN_PASSWORD: "\${GRAFANA_ADMIN_PASS}" } }
`,
  'Dockerfile.api': dockerfile('api', 'api models worker dataset database'),
  'Dockerfile.worker': dockerfile('worker', 'database worker'),
  'requirements.api.txt': 'fastapi\n',
  'requirements.worker.txt': 'celery\n',
  ...Object.fromEntries(
    ['api', 'models', 'worker', 'dataset', 'database'].map((folder) => [`${folder}/main.py`, 'x\n']),
  ),
  'database/cache.pyc': 'x\n',
  'docs/source/docker.rst': 'x\n',
  'README.md': 'x\n',
};

const API = 'api-linux-amd64';
const WORKER = 'worker-linux-amd64';

describe('an API and a queue worker among stock services', () => {
  it('are the two images, without .env and without a value built in', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const { rows, log } = await runPlan(repository);
    expect(rows.map(({ id, context, dockerfile: file, args }) => [id, context, file, args])).toEqual([
      [API, '.', 'Dockerfile.api', {}],
      [WORKER, '.', 'Dockerfile.worker', {}],
    ]);
    expect(log).not.toContain('::warning');
  });

  it.each<[string, Files, string[]]>([
    ['the API', { 'api/main.py': 'y\n' }, [API]],
    ['what both read', { 'database/main.py': 'y\n' }, [API, WORKER]],
    ['what the API reads of the worker', { 'worker/main.py': 'y\n' }, [API, WORKER]],
    ["the worker's requirements", { 'requirements.worker.txt': 'celery==5\n' }, [WORKER]],
    ['documents', { 'docs/source/docker.rst': 'y\n', 'README.md': 'y\n' }, []],
    ['a pattern of the ignore file that holds at the root only', { 'database/cache.pyc': 'y\n' }, [API, WORKER]],
    ['a new file that nothing copies', { 'tests/test_api.py': 'x\n', '.env': 'DOMAIN=x\n' }, []],
    ['a value for an argument', { '.env': 'CELERY_QUEUE=q\n' }, [WORKER]],
    ['a rename', { 'dataset/main.py': null, 'dataset/__init__.py': 'x\n' }, [API]],
  ])('%s', async (_, files, expected) => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const before = await repository.id('HEAD');
    await repository.commit(files);
    expect(Object.keys((await runPush(repository, before)).reasons)).toEqual(expected);
  });
});
