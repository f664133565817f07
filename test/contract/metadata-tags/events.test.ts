import { describe, expect, test } from 'vitest';
import {
  githubEvents,
  mergeGroup,
  pullRequestEvent,
  push,
  release,
  repository,
  SHA,
} from '../../harness/github-events.ts';
import { runBundle } from './run-bundle.ts';

const QUEUED = 'gh-readonly-queue-main-pr-104-5b3d5e2f1c6a4b0e9d8c7f6a5b4c3d2e1f0a9b8c';
const COMMIT = 'sha-860c190';

/** Tags by the suite's own rules, by the rules of docker/metadata-action's README, and the one that never moves. */
const rows: readonly (readonly [event: string, own: string, docker: string, immutable: string])[] = [
  ['push main', `main latest ${COMMIT}`, `main ${COMMIT}`, COMMIT],
  ['push feature/login', `feature-login ${COMMIT}`, `feature-login ${COMMIT}`, COMMIT],
  ['first push', `main latest ${COMMIT}`, `main ${COMMIT}`, COMMIT],
  ['tag v1.2.3', `1.2.3 1.2 1 v1.2.3 ${COMMIT} latest`, `1.2.3 1.2 1 ${COMMIT} latest`, '1.2.3'],
  ['tag v0.4.0', `0.4.0 0.4 v0.4.0 ${COMMIT} latest`, `0.4.0 0.4 0 ${COMMIT} latest`, '0.4.0'],
  ['tag v2.0.8-beta.67', `2.0.8-beta.67 v2.0.8-beta.67 ${COMMIT}`, `2.0.8-beta.67 ${COMMIT}`, '2.0.8-beta.67'],
  ['tag 1.2.3rc2', `1.2.3rc2 ${COMMIT}`, COMMIT, '1.2.3rc2'],
  ['tag 2026.1', `2026.1 2026 ${COMMIT} latest`, COMMIT, '2026.1'],
  ['tag sometag', `sometag ${COMMIT} latest`, COMMIT, COMMIT],
  ['tag app/v1.0.0', `app-v1.0.0 ${COMMIT} latest`, COMMIT, 'app-v1.0.0'],
  ['pull_request', `pr-12 ${COMMIT}`, `pr-12 ${COMMIT}`, COMMIT],
  ['pull_request of a fork', `pr-13 ${COMMIT}`, `pr-13 ${COMMIT}`, COMMIT],
  ['pull_request of a deleted fork', `pr-14 ${COMMIT}`, `pr-14 ${COMMIT}`, COMMIT],
  ['pull_request_target of a fork', `pr-15 ${COMMIT}`, `pr-15 ${COMMIT}`, COMMIT],
  ['merge_group', `pr-104 ${COMMIT}`, `${QUEUED} pr-104 ${COMMIT}`, COMMIT],
  ['schedule', `DATE main latest ${COMMIT}`, `nightly main ${COMMIT}`, COMMIT],
  ['workflow_dispatch of a branch', `dev ${COMMIT}`, `dev ${COMMIT}`, COMMIT],
  ['workflow_dispatch of a tag', `1.2.3 1.2 1 v1.2.3 ${COMMIT} latest`, `1.2.3 1.2 1 ${COMMIT} latest`, '1.2.3'],
  ['workflow_run', `main latest ${COMMIT}`, `main ${COMMIT}`, COMMIT],
  ['release', `1.2.3 1.2 1 v1.2.3 ${COMMIT} latest`, `1.2.3 1.2 1 ${COMMIT} latest`, '1.2.3'],
  ['create of a branch', `topic ${COMMIT}`, `topic ${COMMIT}`, COMMIT],
  ['issues', `main latest ${COMMIT}`, `main ${COMMIT}`, COMMIT],
  ['repository_dispatch', `main latest ${COMMIT}`, `main ${COMMIT}`, COMMIT],
];

const README_RULES = `
  type=schedule
  type=ref,event=branch
  type=ref,event=pr
  type=semver,pattern={{version}}
  type=semver,pattern={{major}}.{{minor}}
  type=semver,pattern={{major}}
  type=sha
`;

describe.concurrent.each(rows)('%s', (name, own, docker, immutable) => {
  const event = githubEvents[name] ?? push('');

  test("has the tags of the suite's own rules", async () => {
    const { outcome, outputs, tags } = await runBundle({ event, inputs: { images: 'ghcr.io/acme/app' } });
    const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    expect(outcome).toBe('success');
    expect(tags).toEqual(own.split(' ').map((tag) => `ghcr.io/acme/app:${tag.replace('DATE', today)}`));
    expect(outputs['immutable-tag']).toBe(immutable);
  });

  test("has the tags of docker/metadata-action's usual rules", async () => {
    const { tags, outputs } = await runBundle({ event, inputs: { tags: README_RULES } });
    expect(tags.join(' ')).toBe(docker);
    expect(outputs['version']).toBe(tags[0]);
  });
});

test('every event is in the table', () => {
  expect(rows.map(([name]) => name)).toEqual(Object.keys(githubEvents));
});

describe.concurrent('what an event tells', () => {
  test('is all that is needed: the API is asked for the list of git tags alone, and only by a version', async () => {
    expect((await runBundle()).requests).toEqual([]);
    expect((await runBundle({ event: pullRequestEvent('pull_request', 3, 'fork') })).requests).toEqual([]);
    expect((await runBundle({ event: push('refs/tags/v1.0.0') })).requests).toEqual([
      'GET /repos/acme/app/git/matching-refs/tags/',
    ]);
  });

  test('of a fork is about the repository that is built for, not about the fork', async () => {
    const { outputs } = await runBundle({ event: pullRequestEvent('pull_request', 3, 'fork') });
    expect(outputs['labels']).toContain('image.description=An app\n');
    expect(outputs['labels']).toContain(`image.revision=${SHA}`);
  });

  test('of a pull request is the merge, or its head when that is asked for', async () => {
    const step = { event: pullRequestEvent('pull_request_target', 3, 'fork'), inputs: { tags: 'type=sha' } };
    expect((await runBundle(step)).tags).toEqual([COMMIT]);
    expect((await runBundle({ ...step, env: { DOCKER_METADATA_PR_HEAD_SHA: 'true' } })).tags).toEqual(['sha-f11cf1a']);
  });

  test('of a merge group is the branch it goes into, also one with a slash', async () => {
    const step = { event: mergeGroup(7, 'release/2.x'), inputs: { tags: 'type=raw,value={{base_ref}}' } };
    expect((await runBundle(step)).tags).toEqual(['release-2.x']);
  });

  test('of a release may be that it is a pre-release, whatever its tag says', async () => {
    const { tags, said } = await runBundle({ event: release('v3.0.0', true), inputs: { tags: 'type=ref,event=tag' } });
    expect(tags).toEqual(['v3.0.0']);
    expect(said('notice')).toEqual([expect.stringMatching(/^"latest" is left where it is: the release is marked/)]);
  });

  test('may be next to nothing, as in a local run', async () => {
    const event = { name: '', ref: '', sha: '', repository: '' };
    const { outcome, tags, said } = await runBundle({ event });
    expect([outcome, tags]).toEqual(['success', []]);
    expect(said('warning')).toContain('no rule of "tags" gave a tag for this run; the job summary says why');
  });

  test('may be of a repository without description and licence', async () => {
    const event = push('refs/heads/main');
    const payload = { ...event.payload, repository: { ...repository, description: null, license: null } };
    const { outputs, requests } = await runBundle({ event: { ...event, payload } });
    expect(requests).toEqual([]);
    expect(outputs['labels']).toContain('image.description=\n');
  });
});
