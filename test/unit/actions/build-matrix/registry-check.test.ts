import { describe, expect, it } from 'vitest';
import type { Row } from '../../../../src/core/images/row.ts';
import { inputsTag } from '../../../../src/core/registry/inputs-tag.ts';
import { type Files, TemporaryRepository } from '../../core/git/temporary-repository.ts';
import { type RegistryServer, startRegistry } from '../../core/registry/registry-server.ts';
import { runPlan } from './plan-step.ts';

const FILES: Files = {
  '.github/images.yml': 'images:\n  a: { context: a }\n  b: { context: b }\n',
  'a/Dockerfile': 'FROM scratch\nCOPY f /\n',
  'a/f': '1',
  'b/Dockerfile': 'FROM scratch\nCOPY f /\n',
  'b/f': '1',
};
const A = 'a-linux-amd64';
const B = 'b-linux-amd64';

const inputsFor = ({ host }: Pick<RegistryServer, 'host'>) => ({
  'registry-check': 'true',
  registry: host,
  repository: '{registry}/Acme/App/{image}',
});

/** Puts an image of a row's inputs where multistage-build puts it. */
function store(registry: RegistryServer, { image, inputs }: Row): void {
  const bytes = Buffer.from('{"schemaVersion":2}');
  const digest = `sha256:${'0'.repeat(63)}1`;
  const repository = registry.repository(`acme/app/${image}`);
  repository.manifests.set(digest, { mediaType: 'application/vnd.oci.image.index.v1+json', bytes });
  repository.tags.set(inputsTag(inputs), digest);
}

const existing = (rows: readonly Row[]) => Object.fromEntries(rows.map(({ id, exists }) => [id, exists]));

describe('"registry-check"', () => {
  it('marks rows whose image the registry holds already', async () => {
    await using registry = await startRegistry();
    await using repository = await TemporaryRepository.create(FILES);
    const [a] = (await runPlan(repository)).rows;
    if (a !== undefined) store(registry, a);
    const inputs = inputsFor(registry);
    const step = { event: 'push', ref: 'refs/tags/v1', inputs };
    const { rows, summary } = await runPlan(repository, step);
    expect(existing(rows)).toEqual({ [A]: true, [B]: false });
    expect(summary).toContain('the registry holds it already');
    await repository.commit({ 'a/f': '2' });
    expect(existing((await runPlan(repository, step)).rows)).toEqual({ [A]: false, [B]: false });
  });

  it('makes up for a build that failed: a push builds what the registry lacks, a pull request does not', async () => {
    await using registry = await startRegistry();
    await using repository = await TemporaryRepository.create(FILES);
    const [a] = (await runPlan(repository)).rows;
    if (a !== undefined) store(registry, a);
    const before = await repository.id('HEAD');
    await repository.commit({ 'README.md': 'x' });
    const inputs = inputsFor(registry);
    const pushed = await runPlan(repository, { event: 'push', payload: { before }, inputs });
    expect(pushed.reasons).toEqual({ [B]: 'the registry holds no image of its inputs' });
    const payload = { pull_request: { base: { sha: before }, head: { sha: await repository.id('HEAD') } } };
    expect((await runPlan(repository, { event: 'pull_request', payload, inputs })).reasons).toEqual({});
  });

  it('is not asked on a schedule, nor for a row that is left out', async () => {
    await using registry = await startRegistry();
    await using repository = await TemporaryRepository.create(FILES);
    const inputs = inputsFor(registry);
    await runPlan(repository, { event: 'schedule', inputs });
    await runPlan(repository, { inputs: { ...inputs, 'changed-only': 'false' } });
    expect(registry.requests).toEqual([]);
    await runPlan(repository, { inputs: { ...inputs, include: 'a' } });
    expect(registry.requests.every(({ path }) => path.includes('acme/app/a'))).toBe(true);
  });

  it('builds everything, with a warning, where the registry refuses', async () => {
    const users = { Acme: { password: 'ghs_own', canPush: false } };
    await using registry = await startRegistry({ users, scheme: 'basic' });
    await using repository = await TemporaryRepository.create(FILES);
    // The workflow's token is GitHub's: no other registry sees it, also one that it would open.
    const inputs = { ...inputsFor(registry), 'github-token': 'ghs_own' };
    const { rows, log } = await runPlan(repository, { inputs, environment: { GITHUB_ACTOR: 'Acme' } });
    expect(existing(rows)).toEqual({ [A]: false, [B]: false });
    expect(log).toMatch(/::warning::"registry-check" could not be made, so no row is marked as existing: .* 401/);
  });
});
