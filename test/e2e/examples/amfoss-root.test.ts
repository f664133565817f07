import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, write } from '../../harness/example/changes.ts';
import { forgetBuilds } from '../../harness/example/forget-builds.ts';
import { type Example, openExample, TOKEN } from '../../harness/example/open-example.ts';
import { pulledTags } from '../../harness/example/published-images.ts';
import {
  annotationsOf,
  bakeTargets,
  failuresOf,
  isReadOnly,
  jobOf,
  reasonsOf,
  stepOf,
} from '../../harness/example/run-facts.ts';
import type { WorkflowResult } from '../../harness/workflow/workflow-result.ts';

const BUILD = 'release/wave-1/build';
const IMAGE = 'amfoss/root';
const ENVIRONMENT = /POSTGRES_|ROOT_SECRET|DATABASE_URL/;
const STEPS = /cargo|Cargo|\.\/src|migrations|release\/(?:deps|root)/;

let example: Example;

beforeAll(async () => {
  example = await openExample({ name: 'amfoss-root', repository: 'amfoss/Root' });
});
afterAll(() => example?.[Symbol.asyncDispose]());

const tagsNow = async (): Promise<Readonly<Record<string, string>>> => (await example.images.all())[IMAGE] ?? {};
const shortSha = (): string => `sha-${example.git.head().slice(0, 7)}`;
/** GitHub's schedules are in UTC, and so is the tag. */
const today = (): string => new Date().toISOString().slice(0, 10).replaceAll('-', '');
const logOf = (run: WorkflowResult): string => run.jobs.map(({ log }) => log).join('\n');

describe('the Rust service, as its workflows are written', () => {
  test('a push to main is published as latest, main and its commit, under a name in lower case', async () => {
    const run = await example.firstPush('publish.yml');
    expect(failuresOf(run)).toEqual([]);
    const tags = await tagsNow();
    expect(pulledTags(tags)).toEqual(['latest', 'main', shortSha()]);
    expect(new Set(Object.values(tags)).size).toBe(1);
    expect(logOf(run)).not.toContain(TOKEN);
  });

  test('the image holds the binary, and nothing of the environment it needs to run', async () => {
    const { config, history, platforms } = await example.images.image(IMAGE, 'latest');
    expect(config.Cmd).toEqual(['/usr/local/bin/root']);
    expect(JSON.stringify([config, history])).not.toMatch(ENVIRONMENT);
    const layers = await example.images.layers(IMAGE, 'latest');
    expect(layers.filter((layer) => layer.includes('usr/local/bin/root\0'))).toHaveLength(1);
    expect(layers.filter((layer) => ENVIRONMENT.test(layer.toString('latin1')))).toEqual([]);
    expect(platforms).toContain('linux/amd64');
  });

  test('a push that changes words, samples and workflows alone builds nothing and moves no tag', async () => {
    const before = await tagsNow();
    const files = ['README.md', 'docs/members.md', '.env.sample', '.github/workflows/validate.yml'];
    const run = await example.push('publish.yml', ...files.map((file) => append(file, '# more words')));
    expect(run.conclusion).toBe('success');
    expect(reasonsOf(run)).toEqual({});
    expect(await tagsNow()).toEqual(before);
  });

  test.each([
    ['migrations/20241115114207_members.sql', 'ALTER TABLE members ADD COLUMN year INT;'],
    ['Dockerfile', 'EXPOSE 3000'],
  ])('a push that changes %s is published', async (file, line) => {
    const before = await tagsNow();
    const run = await example.push('publish.yml', append(file, line));
    expect(failuresOf(run)).toEqual([]);
    expect(Object.keys(reasonsOf(run))).toEqual(['root-linux-amd64']);
    const { latest, [shortSha()]: commit } = await tagsNow();
    expect(latest).toBe(commit);
    expect(latest).not.toBe(before['latest']);
  });

  test('dependencies come out of GitHub’s cache when only a source changed, on a machine that never built them', async () => {
    await forgetBuilds(example.world.engine, STEPS);
    const run = await example.push('publish.yml', append('src/main.rs', '// one more line'));
    expect(failuresOf(run)).toEqual([]);
    const { log } = jobOf(run, BUILD);
    expect(log).not.toContain('Compiling hmac');
    expect(log).toContain('Compiling root');
    const [target] = Object.values(bakeTargets(run));
    expect(target?.['cache-to']?.[0]).toMatch(
      /^type=gha,scope=root-linux-amd64-[0-9a-f]{8},timeout=600s,mode=max,ignore-error=true$/,
    );
  });

  test('what Cargo has downloaded is kept too: another dependency downloads that one alone', async () => {
    await forgetBuilds(example.world.engine, STEPS);
    const run = await example.push(
      'publish.yml',
      append('Cargo.toml', 'sha2 = "0.10"'),
      append('Cargo.lock', '\n[[package]]\nname = "sha2"\nversion = "0.10.8"'),
    );
    expect(failuresOf(run)).toEqual([]);
    const { log } = jobOf(run, BUILD);
    expect(log).toContain('Compiling hmac');
    expect(log).toContain('Downloaded sha2');
    expect(log).not.toContain('Downloaded hmac');
  });

  test('a schedule publishes everything anew under its date, beside latest', async () => {
    const run = await example.schedule('publish.yml', '0 3 * * 1');
    expect(failuresOf(run)).toEqual([]);
    const tags = await tagsNow();
    expect(tags[today()]).toBe(tags['latest']);
    expect(tags[today()]).toMatch(/^sha256:/);
  });

  test('a run by hand publishes main as a push would', async () => {
    const run = await example.dispatch('publish.yml');
    expect(failuresOf(run)).toEqual([]);
    const { latest, main } = await tagsNow();
    expect(jobOf(run, 'release/publish').outputs['digests']).toBe(JSON.stringify({ root: { '': latest } }));
    expect(main).toBe(latest);
  });

  test('a git tag is published as its version, which latest then names', async () => {
    const before = await tagsNow();
    const run = await example.pushTag('publish.yml', 'v0.4.2');
    expect(failuresOf(run)).toEqual([]);
    const tags = await tagsNow();
    expect(Object.keys(tags).filter((tag) => !(tag in before))).toEqual(['0.4', '0.4.2', 'v0.4.2']);
    expect(tags['latest']).toBe(tags['0.4.2']);
  });

  test('a pull request from a fork is built with a token that can write nothing, and pushed nowhere', async () => {
    const before = await example.images.all();
    const run = await example.pullRequest('validate.yml', 'fork', append('src/graphql/mod.rs', '// from a fork'));
    expect(failuresOf(run)).toEqual([]);
    expect(reasonsOf(run)).toEqual({ 'root-linux-amd64': 'src/graphql/mod.rs changed' });
    expect(jobOf(run, 'validate/build/build').log).toContain('Compiling root');
    expect(isReadOnly(run)).toBe(true);
    expect(await example.images.all()).toEqual(before);
  });

  test('a pull request that no image reads reports success all the same', async () => {
    const run = await example.pullRequest('validate.yml', 'fork', append('README.md', 'A better word.'));
    expect(run.conclusion).toBe('success');
    expect(reasonsOf(run)).toEqual({});
  });

  test('the old workflow’s rules that can never fire are named, each at its line', async () => {
    const rules = [
      'type=raw,value=latest,enable={{is_default_branch}}',
      "type=schedule,pattern={{date 'YYYYMMDD'}}",
      'type=ref,event=tag',
      'type=ref,event=pr',
      'type=sha',
    ];
    const old = `on: { push: { branches: [main] }, workflow_dispatch: }
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/metadata-action@v5
        with:
          tags: |
${rules.map((rule) => `            ${rule}`).join('\n')}
`;
    const run = await example.pullRequest('validate.yml', 'branch', write('.github/workflows/ghcr-deploy.yml', old));
    const named = annotationsOf(run).filter(({ file }) => file === '.github/workflows/ghcr-deploy.yml');
    expect(named.map(({ line }) => line)).toEqual([10, 11, 12]);
    expect(named.map(({ message }) => /^"type=([\w=,]+)/.exec(message)?.[1])).toEqual([
      'schedule,pattern=',
      'ref,event=tag',
      'ref,event=pr',
    ]);
  });

  test('a pull request has a tag of its own among the default rules, for whoever wants to push it', async () => {
    const tags = `{ id: tags, uses: slipway-actions/slipway/actions/metadata-tags@v1, with: { images: ${IMAGE} } }`;
    const file = path.join(path.dirname(example.folder), 'tags.yml');
    await writeFile(file, `on: pull_request\njobs: { tags: { runs-on: ubuntu-24.04, steps: [${tags}] } }\n`);
    const run = await example.pullRequest(file, 'branch', append('src/main.rs', '// tagged'));
    expect(stepOf(run, 'tags').outputs['tag-names']).toMatch(/^pr-\d+$/m);
  });

  test('a secret that a Dockerfile would keep in the image is pointed out at its line', async () => {
    const run = await example.pullRequest(
      'validate.yml',
      'branch',
      append('Dockerfile', 'ENV ROOT_SECRET=securetoken456'),
    );
    expect(annotationsOf(run)).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        file: 'Dockerfile',
        line: 19,
        message: expect.stringContaining('ROOT_SECRET'),
      }),
    );
  });

  test('an image that carries an environment file is not pushed', async () => {
    const before = await example.images.all();
    const run = await example.push(
      'publish.yml',
      write('migrations/.env.production', 'ROOT_SECRET=securetoken456\n'),
      append('Dockerfile', 'COPY migrations /migrations'),
    );
    expect(run.conclusion).toBe('failure');
    expect(annotationsOf(run)).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('migrations/.env.production') }),
    );
    expect(await example.images.all()).toEqual(before);
  });
});
