import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseRepository } from '../../src/core/registry/reference.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { runCommand } from '../../src/core/runner/command.ts';
import { type ResultsService, startResultsService } from '../harness/standins/results-service.ts';
import type { CacheScope } from '../harness/standins/runtime-token.ts';
import { baseImage, buildStep, forgetBuilds, makeWorkspace, nonce, registry, type StepResult } from './build-step.ts';

const READ = 1;
const WRITE = 2;
const MAIN: readonly CacheScope[] = [{ scope: 'refs/heads/main', permission: READ | WRITE }];
/** What GitHub's token says for a pull request: its own scope, and to read the base branch's. */
const PULL_REQUEST: readonly CacheScope[] = [
  { scope: 'refs/pull/5/merge', permission: READ | WRITE },
  { scope: 'refs/heads/main', permission: READ },
];

const dockerfile = `FROM ${baseImage} AS deps
ARG SALT
RUN echo "deps ${nonce} $SALT" > /deps
FROM deps
COPY source /source-${nonce}
RUN --mount=type=cache,target=/mount-${nonce} cat /source-${nonce} > /built && touch /mount-${nonce}/$(cat /source-${nonce})
`;

describe('the caches of branches and pull requests', () => {
  let root = '';
  let workspace = '';
  let results: ResultsService;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
    workspace = await makeWorkspace(root, { Dockerfile: dockerfile });
  });
  afterAll(() => rm(root, { recursive: true }));
  beforeEach(async () => {
    results = await startResultsService();
  });
  afterEach(() => results[Symbol.asyncDispose]());

  /** A build of a source text on a builder that has forgotten all others, in one of the two places. */
  async function build(
    place: 'main' | 'pull request' | 'fork',
    source: string,
    salt: string,
    inputs: Readonly<Record<string, string>> = {},
  ): Promise<StepResult> {
    await forgetBuilds();
    await runCommand('docker', ['buildx', 'prune', '--force', '--filter', 'type=exec.cachemount']);
    await mkdir(join(root, 'temp'), { recursive: true });
    await writeFile(join(workspace, 'source'), source);
    const head = place === 'fork' ? 'stranger/app' : 'Acme/App';
    const event = join(root, 'event.json');
    const repository = { default_branch: 'main' };
    const payload = { repository, pull_request: { number: 5, head: { repo: { full_name: head } } } };
    await writeFile(event, JSON.stringify(place === 'main' ? { repository } : payload));
    const image = JSON.stringify({ image: 'web', scope: nonce, args: { SALT: salt } });
    return buildStep({
      root,
      workspace,
      temp: join(root, 'temp'),
      inputs: { image, registry, ...inputs },
      environment: {
        ...results.environment({ scopes: place === 'main' ? MAIN : PULL_REQUEST }),
        GITHUB_EVENT_PATH: event,
        ...(place === 'main'
          ? {}
          : { GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/5/merge', GITHUB_BASE_REF: 'main' }),
      },
    });
  }
  const scopes = (): ReadonlySet<string> => new Set(results.cacheEntries().map(({ scope }) => scope));
  const stepsOf = ({ outputs }: StepResult): unknown => outputs['cacheHits'];

  it('a pull request reads the base branch’s, then its own; the base branch never reads a pull request’s', async () => {
    const salt = randomUUID();
    expect(stepsOf(await build('main', 'one', salt))).toEqual({ cached: 0, steps: 3 });
    expect([...scopes()]).toEqual(['refs/heads/main']);

    const first = await build('pull request', 'two', salt);
    expect(first.failure, first.log).toBeUndefined();
    expect(first.log).toMatch(/deps 2\/2 RUN .*CACHED/);
    expect(stepsOf(first)).toEqual({ cached: 1, steps: 3 });
    expect(first.log).toMatch(/The cache mounts .* are filled/);
    expect([...scopes()]).toEqual(['refs/heads/main', 'refs/pull/5/merge']);

    expect(stepsOf(await build('pull request', 'two', salt))).toEqual({ cached: 3, steps: 3 });
    expect(stepsOf(await build('main', 'two', salt))).toEqual({ cached: 1, steps: 3 });
  });

  it('a fork’s pull request reads the base branch’s, and writes neither steps nor cache mounts', async () => {
    const salt = randomUUID();
    await build('main', 'one', salt);
    const before = results.cacheEntries();
    const { outputs, log } = await build('fork', 'two', salt);
    expect(outputs['cacheHits'], log).toEqual({ cached: 1, steps: 3 });
    expect(log).toMatch(/The cache mounts .* are filled/);
    expect(results.cacheEntries()).toEqual(before);
  });

  it('in a registry, a pull request reads the base branch’s and writes nothing', async () => {
    const salt = randomUUID();
    const repository = `${registry}/scopes/${nonce}`;
    const inputs = { cache: 'registry', repository, 'cache-mounts': 'off' };
    await build('main', 'one', salt, inputs);
    const tags = async (): Promise<readonly string[]> => createRegistryClient().listTags(parseRepository(repository));
    const before = await tags();
    expect(before).toEqual([`buildcache-${nonce}`]);
    const digest = await createRegistryClient().findDigest(parseRepository(repository), before[0] ?? '');
    expect(stepsOf(await build('pull request', 'two', salt, inputs))).toEqual({ cached: 1, steps: 3 });
    expect(await tags()).toEqual(before);
    expect(await createRegistryClient().findDigest(parseRepository(repository), before[0] ?? '')).toBe(digest);
  });

  it('an image that its share of GitHub’s cache would not hold is cached in the registry, and says so', async () => {
    const salt = randomUUID();
    const repository = `${registry}/budget/${nonce}`;
    const inputs = { repository, 'cache-budget': '4MB', 'cache-rows': '4', 'cache-mounts': 'off' };
    // Nothing is published yet, so nothing is judged.
    await build('main', 'one', salt, { ...inputs, push: 'true', tags: `${repository}:latest` });
    expect([...scopes()]).toEqual(['refs/heads/main']);
    const entries = results.cacheEntries().length;

    const { failure, log, outputs } = await build('main', 'two', salt, inputs);
    expect(failure, log).toBeUndefined();
    expect(log).toMatch(
      new RegExp(
        `::notice::the cache of "web-linux-amd64" is likely to need 1\\.\\d MB, more than its share of 1(\\.0)? MB of GitHub's cache: it is kept in ${repository}`,
      ),
    );
    expect(outputs['definition']).toContain(`"type=registry,ref=${repository}:buildcache-${nonce},`);
    expect(results.cacheEntries()).toHaveLength(entries);
    const tags = await createRegistryClient().listTags(parseRepository(repository));
    expect(tags).toContain(`buildcache-${nonce}`);
    expect(stepsOf(await build('main', 'two', salt, inputs))).toEqual({ cached: 3, steps: 3 });
  });
});
