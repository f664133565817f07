import { describe, expect, test } from 'vitest';
import { push, SHA, schedule, workflowDispatch } from '../../harness/github-events.ts';
import type { TriggerEvent } from '../../harness/runner/trigger-event.ts';
import { createRepository } from '../../harness/small-repository.ts';
import { startGithubApi } from '../../harness/standins/github-api.ts';
import { runBundle } from './run-bundle.ts';

/** An event that tells nothing of its repository, as those that a person replays by hand. */
function bare(event: TriggerEvent): TriggerEvent {
  return { ...event, payload: {} };
}

const described = { fullName: 'acme/app', description: 'From the API', license: 'Apache-2.0' };

describe.concurrent("GitHub's API", () => {
  test('is asked once for what the event leaves out', async () => {
    const { requests, outputs, tags } = await runBundle({
      event: bare(push('refs/heads/main')),
      repository: { description: 'From the API', license: 'Apache-2.0' },
    });
    expect(requests).toEqual(['GET /repos/acme/app']);
    expect(outputs['labels']).toContain('image.description=From the API\norg.opencontainers.image.licenses=Apache-2.0');
    expect(tags).toContain('latest');
  });

  test.each([502, 429])('that answers %i is asked again', async (status) => {
    await using api = await startGithubApi({ repositories: [described] });
    api.fail({ status, times: 1 });
    const { outcome, outputs, log } = await runBundle({
      event: bare(push('refs/heads/main')),
      env: { GITHUB_API_URL: api.url },
    });
    expect(outcome).toBe('success');
    expect(outputs['labels']).toContain('image.description=From the API');
    expect(log).toMatch(new RegExp(`GET http.*/repos/acme/app: status ${status}; trying again`));
  });

  test('that goes on failing is done without: labels lose what only it knows, with a warning', async () => {
    await using api = await startGithubApi({ repositories: [described] });
    api.fail({ status: 500, times: 99 });
    const step = { event: bare(push('refs/heads/dev')), inputs: { tags: 'type=ref,event=branch\ntype=sha' } };
    const { outcome, tags, outputs, said } = await runBundle({ ...step, env: { GITHUB_API_URL: api.url } });
    expect([outcome, tags]).toEqual(['success', ['dev', 'sha-860c190']]);
    expect(api.requests).toHaveLength(3);
    expect(said('warning')).toEqual([
      expect.stringMatching(/^GitHub's API gave no .*\(status 500\); going on without$/),
    ]);
    expect(outputs['labels']).not.toContain('image.licenses');
    expect(outputs['labels']).toContain('image.source=https://github.com/acme/app');
  });

  test('that refuses is not asked again, and the permission is named', async () => {
    await using api = await startGithubApi({ repositories: [{ ...described, isPrivate: true }], tokens: ['good'] });
    const step = { event: { ...bare(push('refs/heads/dev')), token: 'bad' }, inputs: { tags: 'type=sha' } };
    const { outcome, said } = await runBundle({ ...step, env: { GITHUB_API_URL: api.url } });
    expect(outcome).toBe('success');
    expect(api.requests).toHaveLength(1);
    expect(said('warning').join()).toContain('status 401; "github-token" needs contents: read');
  });

  test('is not needed: offline, a whole event gives all there is to give', async () => {
    const { outcome, tags, said } = await runBundle({ env: { GITHUB_API_URL: 'http://127.0.0.1:9' } });
    expect([outcome, said('warning')]).toEqual(['success', []]);
    expect(tags).toEqual(['main', 'latest', 'sha-860c190']);
  });

  test('that is not there costs seconds and a warning, also when a version is guarded', async () => {
    const event = bare(push('refs/tags/v1.2.3'));
    const { outcome, tags, said, durationMs } = await runBundle({
      event,
      inputs: { tags: 'type=semver,pattern={{version}}' },
      env: { GITHUB_API_URL: 'http://127.0.0.1:9' },
    });
    expect([outcome, tags]).toEqual(['success', ['1.2.3', 'latest']]);
    expect(said('warning').join('\n')).toContain('the git tags of the repository are not all known');
    expect(durationMs).toBeLessThan(8_000);
  });

  test('is asked without a token when it is empty', async () => {
    await using api = await startGithubApi({ repositories: [described], tokens: ['good'] });
    const { said, outputs } = await runBundle({
      event: bare(push('refs/heads/main')),
      inputs: { 'github-token': '' },
      env: { GITHUB_API_URL: api.url },
    });
    expect(said('warning')).toEqual([]);
    expect(outputs['labels']).toContain('From the API');
  });

  test('of an enterprise server is asked there, and labels name that server', async () => {
    const htmlUrl = 'https://git.acme.example/acme/app';
    await using api = await startGithubApi({ repositories: [{ ...described, htmlUrl }], tokens: ['ghs_enterprise'] });
    const { outputs, log } = await runBundle({
      event: { ...bare(push('refs/heads/main')), serverUrl: 'https://git.acme.example', token: 'ghs_enterprise' },
      inputs: { tags: 'type=sha' },
      env: { GITHUB_API_URL: api.enterpriseUrl },
    });
    expect(api.requests.map(({ path }) => path)).toEqual(['/api/v3/repos/acme/app']);
    expect(log).not.toContain('ghs_enterprise');
    expect(outputs['labels']).toContain('image.description=From the API');
    expect(outputs['labels']).toContain(`image.source=${htmlUrl}`);
  });

  test('of an enterprise server that does not answer leaves labels with its address', async () => {
    const event = { ...bare(push('refs/heads/main')), serverUrl: 'https://git.acme.example' };
    const { outputs } = await runBundle({ event, env: { GITHUB_API_URL: 'http://127.0.0.1:9/api/v3' } });
    expect(outputs['labels']).toContain('image.source=https://git.acme.example/acme/app');
  });

  test('tells the date of a commit that no event and no clone has', async () => {
    const { tags, requests } = await runBundle({
      event: schedule(),
      inputs: { tags: "type=raw,value={{commit_date 'YYYYMMDD'}}" },
      repository: { commits: [{ sha: SHA, date: '2026-05-06T00:00:00Z' }] },
    });
    expect([tags, requests]).toEqual([['20260506'], [`GET /repos/acme/app/commits/${SHA}`]]);
  });
});

describe.concurrent('context: git', () => {
  const inputs = { context: 'git', tags: 'type=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr\ntype=sha' };

  test('takes what is checked out, whatever the event is about', async () => {
    await using repository = await createRepository();
    await repository.git('switch', '--quiet', '--create', 'other');
    const { tags } = await runBundle({ workspace: repository.folder, inputs });
    expect(tags).toEqual(['other', `sha-${(await repository.git('rev-parse', 'HEAD')).slice(0, 7)}`]);
  });

  test.each([
    ['refs/tags/v1.0.0', 'v1.0.0'],
    ['refs/remotes/pull/8/merge', 'pr-8'],
    ['refs/remotes/origin/topic', 'topic'],
  ])('knows what a detached HEAD stands for by %s', async (ref, expected) => {
    await using repository = await createRepository();
    await repository.git('update-ref', ref, 'HEAD');
    await repository.git('checkout', '--quiet', '--detach');
    await repository.git('branch', '--delete', '--force', 'main');
    expect((await runBundle({ workspace: repository.folder, inputs })).tags[0]).toBe(expected);
  });

  test('gives a commit that nothing points at its own tag, as after a shallow checkout of a commit', async () => {
    await using origin = await createRepository();
    await origin.git('commit', '--quiet', '--allow-empty', '--message=second');
    const old = await origin.git('rev-parse', 'HEAD');
    await origin.git('commit', '--quiet', '--allow-empty', '--message=third');
    await using clone = await createRepository();
    await clone.git('fetch', '--quiet', '--depth=1', `file://${origin.folder}`, old);
    await clone.git('checkout', '--quiet', '--detach', 'FETCH_HEAD');
    await clone.git('branch', '--delete', '--force', 'main');
    const event = workflowDispatch('refs/heads/main');
    const { outcome, tags, said } = await runBundle({ event, workspace: clone.folder, inputs });
    expect([outcome, tags]).toEqual(['success', [`sha-${old.slice(0, 7)}`]]);
    expect(said('notice')).toEqual([expect.stringMatching(/^HEAD is detached and no branch or tag points at/)]);
  });
});

test('a branch of the remote that would have the same tag is a collision', async () => {
  await using repository = await createRepository();
  await repository.git('update-ref', 'refs/remotes/origin/feature-x', 'HEAD');
  const { said, outputs } = await runBundle({ event: push('refs/heads/feature/x'), workspace: repository.folder });
  expect(said('error').join()).toContain('"feature-x" would name refs/heads/feature/x, and refs/heads/feature-x');
  expect(outputs).toEqual({});
});
