import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createArtifactService } from '../../src/core/handoff/artifact-service.ts';
import { saveBuildRecord } from '../../src/core/handoff/build-record.ts';
import { parseRows } from '../../src/core/images/row.ts';
import { INPUTS_LABEL } from '../../src/core/registry/inputs-tag.ts';
import { type ActionRequest, type ActionResult, runAction } from '../harness/runner/run-action.ts';
import { startGithubApi } from '../harness/standins/github-api.ts';
import { startOidcIssuer } from '../harness/standins/oidc-issuer.ts';
import { startResultsService } from '../harness/standins/results-service.ts';
import { startSigstore } from '../harness/standins/sigstore.ts';
import { build } from '../unit/actions/ghcr-publish/publish-step.ts';
import { verifyBundle } from '../unit/core/attest/verify-bundle.ts';
import { type RegistryServer, startRegistry } from '../unit/core/registry/registry-server.ts';
import { storeIndex } from '../unit/core/registry/store-index.ts';

const action = path.resolve(import.meta.dirname, '../../actions/ghcr-publish');
let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'slipway-contract-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Runs the bundle, main and post, as the runner does, in a job of Acme/App. */
function step(
  inputs: Readonly<Record<string, string>>,
  more: Partial<Omit<ActionRequest, 'event'>> & { readonly event?: Partial<ActionRequest['event']> } = {},
): Promise<ActionResult> {
  const { event, env, ...rest } = more;
  return runAction({
    action,
    inputs,
    workspace: root,
    root,
    event: {
      name: 'push',
      ref: 'refs/heads/main',
      sha: 'c'.repeat(40),
      repository: 'Acme/App',
      token: 'ghs_job',
      ...event,
    },
    // Nothing answers at the API's address unless a test starts one.
    env: { DOCKER_CONFIG: '/nonexistent', GITHUB_API_URL: 'http://127.0.0.1:9', ...env },
    ...rest,
  });
}

const errorsOf = ({ annotations }: ActionResult): readonly string[] =>
  annotations.filter(({ level }) => level === 'error').map(({ message }) => message);

async function storeBuild(registry: RegistryServer, name = 'acme/app', labels = {}): Promise<string> {
  return storeIndex(registry, name, await build(['linux/amd64', 'linux/arm64'], name, labels), 'build');
}

describe('the bundle of ghcr-publish', () => {
  test('publishes the builds of a run, and promotes them by inputs in a later one', async () => {
    await using registry = await startRegistry();
    await using results = await startResultsService();
    const row = { image: 'app', platform: 'linux/amd64', inputs: '5'.repeat(64) };
    const matrix = JSON.stringify({ include: [row, { ...row, variant: 'gpu', inputs: '6'.repeat(64) }] });
    for (const one of parseRows(matrix)) {
      const built = await build([one.platform], one.id, { [INPUTS_LABEL]: one.inputs });
      const digest = storeIndex(registry, 'acme/app', built);
      const { mediaType, size } = built.manifest;
      const record = {
        version: 1,
        row: one,
        repository: `${registry.host}/acme/app`,
        digest,
        mediaType,
        size,
      } as const;
      await saveBuildRecord(record, createArtifactService(results.environment()));
    }
    const name = `${registry.host}/acme/app`;
    const given = { matrix, tags: JSON.stringify({ app: { '': [`${name}:main`], gpu: [`${name}:main-gpu`] } }) };
    const first = await step({ ...given, from: 'builds' }, { env: results.environment() });
    expect(first.log, first.log).not.toContain('##[error]');
    expect(first.exitCode).toBe(0);
    expect(first.outputs['tags']).toBe(`${name}:main\n${name}:main-gpu`);
    expect(JSON.parse(first.outputs['digests'] ?? '')).toEqual({
      app: { '': expect.any(String), gpu: expect.any(String) },
    });
    expect(first.summary).toContain('## Published');

    const promoted = await step({ ...given, promote: 'inputs' });
    expect(promoted.exitCode, promoted.log).toBe(0);
    expect(promoted.outputs['digests']).toBe(first.outputs['digests']);
  });

  test('fails with one line, and still says what it has done', async () => {
    await using registry = await startRegistry();
    await storeBuild(registry);
    const name = `${registry.host}/acme/app`;
    registry.fail({ status: 403, match: /^PUT .*manifests\/latest$/, body: '{"errors":[{"code":"DENIED"}]}' });
    const result = await step({ promote: `${name}:build`, tags: `${name}:latest\n${name}:1.0.0` });
    expect(result.exitCode).toBe(1);
    expect(errorsOf(result)).toEqual([expect.stringContaining('answered 403 (DENIED)')]);
    expect(errorsOf(result)[0]).not.toContain('\n');
    expect(result.outputs['tags']).toBe(`${name}:1.0.0`);
    expect(result.summary).toContain('Not all was written');
    expect(result.log).not.toContain('    at ');
  });

  test('leaves no login behind, unless it is asked to: then the post step removes it', async () => {
    await using registry = await startRegistry({ users: { bot: { password: 'sesame', canPush: true } } });
    await storeBuild(registry);
    const name = `${registry.host}/acme/app`;
    const login = { registry: registry.host, username: 'bot', password: 'sesame' };
    const given = { promote: `${name}:build`, tags: `${name}:1.0.0`, ...login };
    const gone = await step(given);
    expect(gone.exitCode, gone.log).toBe(0);
    expect(gone.outputs['docker-config']).toBeUndefined();

    const kept = await step({ ...given, logout: 'false' }, { runPost: false });
    const folder = kept.outputs['docker-config'] ?? '';
    expect(existsSync(path.join(folder, 'config.json'))).toBe(true);
    expect(JSON.stringify([kept.state, kept.outputs, kept.summary, kept.log])).not.toContain('sesame');
    await rm(path.dirname(folder), { recursive: true });

    const cleaned = await step({ ...given, logout: 'false' });
    expect(cleaned.post?.exitCode).toBe(0);
    expect(existsSync(cleaned.outputs['docker-config'] ?? '')).toBe(false);
  });

  test('sends the token of the job to no registry but GitHub’s', async () => {
    await using registry = await startRegistry({ users: { octocat: { password: 'ghs_job', canPush: true } } });
    const name = `${registry.host}/acme/app`;
    const result = await step({ promote: `${name}:build`, tags: `${name}:1`, registry: registry.host });
    expect(errorsOf(result)).toEqual([expect.stringContaining('Give "username" and "password"')]);
  });

  test('signs the provenance of a release', async () => {
    await using registry = await startRegistry();
    await using issuer = await startOidcIssuer();
    await using sigstore = await startSigstore({ issuer: issuer.issuer });
    await using api = await startGithubApi({
      tokens: ['ghs_job'],
      repositories: [{ fullName: 'Acme/App', defaultBranch: 'main' }],
    });
    const digest = await storeBuild(registry);
    const name = `${registry.host}/acme/app`;
    const result = await step(
      {
        sources: `${name}@${digest}`,
        tags: `${name}:1.0.0`,
        sigstore: `fulcio=${sigstore.url}\nrekor=${sigstore.url}\ntsa=${sigstore.url}`,
      },
      { event: { name: 'release' }, env: { ...issuer.environment(), GITHUB_API_URL: api.url } },
    );
    expect(result.exitCode, result.log).toBe(0);
    expect(result.outputs['attestations']).toBe('https://github.com/Acme/App/attestations/1');
    expect(verifyBundle(api.attestations[0]?.bundle, sigstore).issuer).toBe(issuer.issuer);
  });

  test('cleans up alone, when a pull request is closed', async () => {
    await using registry = await startRegistry();
    const digest = storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'x'), 'pr-7');
    const other = storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'y'), 'main');
    const versions = [
      { id: 1, name: digest, tags: ['pr-7'] },
      { id: 2, name: other, tags: ['main'] },
    ];
    await using api = await startGithubApi({
      packageOwners: [{ login: 'acme', type: 'User', packages: { app: versions } }],
    });
    const payload = { action: 'closed', pull_request: { number: 7 } };
    const result = await step(
      { images: `${registry.host}/acme/app`, retain: 'closed=pr-{number}' },
      { event: { name: 'pull_request', payload }, env: { GITHUB_API_URL: api.url } },
    );
    expect(result.exitCode, result.log).toBe(0);
    expect(api.packageVersions('acme', 'app').map(({ tags }) => tags)).toEqual([['main']]);
    expect(JSON.parse(result.outputs['deleted'] ?? '')).toMatchObject([{ tags: ['pr-7'] }]);
  });

  test('is cancelled in the middle: nothing is named, and the post step bears it', async () => {
    await using registry = await startRegistry();
    await storeBuild(registry);
    const name = `${registry.host}/acme/app`;
    registry.faults.add({ fault: { kind: 'stall' }, match: /^PUT/, times: Number.POSITIVE_INFINITY });
    const result = await step(
      { promote: `${name}:build`, tags: `${name}:1.0.0`, logout: 'false' },
      { timeoutMs: 3000, graceMs: { interrupt: 300, terminate: 300 } },
    );
    expect(result.outcome).not.toBe('success');
    expect(result.post?.exitCode).toBe(0);
    expect([...registry.repository('acme/app').tags.keys()]).toEqual(['build']);
    const left = await readdir(root, { recursive: true });
    expect(left.filter((name) => name.includes('slipway-'))).toEqual([]);
  });
});
