import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../../core/git/temporary-repository.ts';
import { runPlan, runPush } from '../plan-step.ts';

/** A Rust service: dependencies as a layer of their own, `COPY . .` behind an ignore file, and tags that never come. */
const REPOSITORY: Files = {
  '.dockerignore': '*\n!Cargo.toml\n!Cargo.lock\n!src\n!migrations\n',
  '.env.sample': 'ROOT_SECRET=\n',
  Dockerfile: `FROM rust:slim-bullseye AS builder
WORKDIR /usr/src/app
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo "fn main() {}" > src/main.rs && cargo build --release
COPY . .
RUN cargo build --release
FROM debian:bullseye-slim
COPY --from=builder /usr/src/app/target/release/root /usr/local/bin/
CMD ["root"]
`,
  'Cargo.toml': 'x\n',
  'Cargo.lock': 'x\n',
  'src/main.rs': 'x\n',
  'src/graphql/mod.rs': 'x\n',
  'migrations/1_init.sql': 'x\n',
  'README.md': 'x\n',
  '.github/workflows/ghcr-deploy.yml': `on:
  push: { branches: [main] }
  workflow_dispatch:
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/metadata-action@v5
        with:
          images: ghcr.io/acme/root
          tags: |
            type=raw,value=latest,enable={{is_default_branch}}
            type=schedule,pattern={{date 'YYYYMMDD'}}
            type=ref,event=tag
            type=ref,event=pr
            type=sha
`,
};
const ROW = 'my-app-linux-amd64';

describe('a Rust service', () => {
  it.each<[string, Files, boolean]>([
    ['sources', { 'src/graphql/mod.rs': 'y\n' }, true],
    ['dependencies', { 'Cargo.lock': 'y\n' }, true],
    ['migrations', { 'migrations/2_more.sql': 'x\n' }, true],
    ['the Dockerfile', { Dockerfile: String(REPOSITORY['Dockerfile']).replace('slim-bullseye', 'slim') }, true],
    ['a comment in the Dockerfile', { Dockerfile: `# a service\n${String(REPOSITORY['Dockerfile'])}` }, false],
    ['the ignore file, to the same effect', { '.dockerignore': `${String(REPOSITORY['.dockerignore'])}*.md\n` }, false],
    ['the ignore file, to another effect', { '.dockerignore': '*\n!Cargo.*\n!src\n' }, true],
    ['the README', { 'README.md': 'y\n' }, false],
    ['the sample of an environment', { '.env.sample': 'y\n' }, false],
    ['the workflow', { '.github/workflows/ghcr-deploy.yml': 'on: push\njobs: {}\n' }, false],
  ])('is built for %s: %s', async (_, files, isBuilt) => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const before = await repository.id('HEAD');
    await repository.commit(files);
    expect((await runPush(repository, before)).outputs['images']).toEqual(isBuilt ? ['my-app'] : []);
  });

  it('hears of the tag rules that nothing fires', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const { rows, log } = await runPlan(repository);
    expect(rows.map(({ id }) => id)).toEqual([ROW]);
    const lines = log.split('\n').filter((line) => line.includes('title=Tag rule'));
    expect(lines).toEqual([
      `::warning title=Tag rule,file=.github/workflows/ghcr-deploy.yml,line=13::"type=schedule,pattern={{date 'YYYYMMDD'}}" can never fire: no "schedule" starts this workflow`,
      '::notice title=Tag rule,file=.github/workflows/ghcr-deploy.yml,line=14::"type=ref,event=tag" fires only when this workflow is started by hand on a tag: no push of a tag and no release starts this workflow',
      '::warning title=Tag rule,file=.github/workflows/ghcr-deploy.yml,line=15::"type=ref,event=pr" can never fire: no "pull_request" starts this workflow',
    ]);
  });
});
