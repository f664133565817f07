import { describe, expect, it } from 'vitest';
import { type ChangedOnly, planBase } from '../../../../src/core/git/base-plan.ts';
import type { RunnerEvent } from '../../../../src/core/runner/event.ts';

const id = (letter: string) => letter.repeat(40);
const ZERO = '0'.repeat(40);

function event(name: string, payload: Record<string, unknown> = {}, ref = 'refs/heads/main'): RunnerEvent {
  return {
    name,
    ref,
    sha: id('f'),
    repository: 'o/r',
    actor: 'a',
    workflow: 'w',
    job: 'j',
    runId: '1',
    runAttempt: 1,
    serverUrl: 'https://github.com',
    apiUrl: 'https://api.github.com',
    graphqlUrl: 'https://api.github.com/graphql',
    payload: { repository: { default_branch: 'main' }, ...payload },
  };
}

const pullRequest = { pull_request: { base: { sha: id('b') }, head: { sha: id('c') } } };
const HEAD = { id: id('f'), parents: [id('1')] };
const MERGE = { id: id('f'), parents: [id('1'), id('c')] };

describe('the base of an event', () => {
  it.each<[string, RunnerEvent, typeof HEAD, ChangedOnly, string | undefined, Record<string, string>]>([
    [
      'a pull request at its merge commit',
      event('pull_request', pullRequest),
      MERGE,
      'auto',
      undefined,
      { kind: 'commit', commit: id('1') },
    ],
    [
      'a pull request at its own head',
      event('pull_request', pullRequest),
      HEAD,
      'auto',
      undefined,
      { kind: 'merge-base', of: id('b') },
    ],
    [
      "a merge commit that is not the pull request's",
      event('pull_request', pullRequest),
      { id: id('f'), parents: [id('1'), id('2')] },
      'auto',
      undefined,
      { kind: 'merge-base', of: id('b') },
    ],
    [
      'a pull request from a privileged run',
      event('pull_request_target', pullRequest),
      HEAD,
      'auto',
      undefined,
      { kind: 'merge-base', of: id('b') },
    ],
    ['a pull request without a payload', event('pull_request'), HEAD, 'auto', undefined, { kind: 'everything' }],
    [
      'a merge group',
      event('merge_group', { merge_group: { base_ref: 'refs/heads/main', base_sha: id('9') } }),
      HEAD,
      'auto',
      undefined,
      { kind: 'merge-base', of: 'refs/heads/main' },
    ],
    [
      'a merge group without a branch',
      event('merge_group', { merge_group: { base_sha: id('9') } }),
      HEAD,
      'auto',
      undefined,
      { kind: 'everything' },
    ],
    ['a push', event('push', { before: id('b') }), HEAD, 'auto', undefined, { kind: 'commit', commit: id('b') }],
    [
      'a forced push',
      event('push', { before: id('b'), forced: true }),
      HEAD,
      'auto',
      undefined,
      { kind: 'commit', commit: id('b') },
    ],
    [
      'a new branch',
      event('push', { before: ZERO }, 'refs/heads/topic'),
      HEAD,
      'auto',
      undefined,
      { kind: 'merge-base', of: 'refs/heads/main' },
    ],
    [
      'the first push of the default branch',
      event('push', { before: ZERO }),
      HEAD,
      'auto',
      undefined,
      { kind: 'everything' },
    ],
    ['a push without a payload', event('push'), HEAD, 'auto', undefined, { kind: 'everything' }],
    [
      'a "before" that is an option to git',
      event('push', { before: '--output=x' }),
      HEAD,
      'auto',
      undefined,
      { kind: 'everything' },
    ],
    ['a tag', event('push', { before: ZERO }, 'refs/tags/v1'), HEAD, 'auto', undefined, { kind: 'everything' }],
    [
      'a moved tag',
      event('push', { before: id('b') }, 'refs/tags/v1'),
      HEAD,
      'auto',
      undefined,
      { kind: 'everything' },
    ],
    ['a release', event('release', {}, 'refs/tags/v1'), HEAD, 'auto', undefined, { kind: 'everything' }],
    ['a schedule', event('schedule'), HEAD, 'auto', undefined, { kind: 'everything' }],
    ['a dispatch', event('workflow_dispatch'), HEAD, 'auto', undefined, { kind: 'everything' }],
    ['another event', event('workflow_run'), HEAD, 'auto', undefined, { kind: 'everything' }],
    ['no event', event(''), HEAD, 'auto', undefined, { kind: 'everything' }],
    [
      'a pull request when all are asked for',
      event('pull_request', pullRequest),
      MERGE,
      'false',
      undefined,
      { kind: 'everything' },
    ],
    [
      'a dispatch on the default branch when only changes are asked for',
      event('workflow_dispatch'),
      HEAD,
      'true',
      undefined,
      { kind: 'commit', commit: id('1') },
    ],
    [
      'a dispatch on a branch when only changes are asked for',
      event('workflow_dispatch', {}, 'refs/heads/t'),
      HEAD,
      'true',
      undefined,
      { kind: 'merge-base', of: 'refs/heads/main' },
    ],
    [
      'a tag when only changes are asked for',
      event('push', {}, 'refs/tags/v1'),
      HEAD,
      'true',
      undefined,
      { kind: 'commit', commit: id('1') },
    ],
    [
      'a first commit when only changes are asked for',
      event('schedule'),
      { id: id('f'), parents: [] },
      'true',
      undefined,
      { kind: 'everything' },
    ],
    ['a base that a person gives', event('schedule'), HEAD, 'auto', 'v1.0', { kind: 'revision', revision: 'v1.0' }],
    [
      'a base that a person gives, and everything asked for',
      event('schedule'),
      HEAD,
      'false',
      'v1.0',
      { kind: 'everything' },
    ],
  ])('%s', (_, of, head, changedOnly, override, expected) => {
    const plan = planBase(of, head, changedOnly, override);
    expect(plan).toMatchObject(expected);
    expect(plan.reason).not.toBe('');
  });
});
