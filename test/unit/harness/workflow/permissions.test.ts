import { describe, expect, it } from 'vitest';
import { isForkPullRequest, jobPermissions, parsePermissions } from '../../../harness/workflow/permissions.ts';

const open = { isFork: false, caller: undefined };

describe('jobPermissions', () => {
  it.each([
    ['the default', undefined, undefined, { contents: 'read', packages: 'read', 'id-token': 'none' }],
    ['the workflow', undefined, { packages: 'write' }, { contents: 'none', packages: 'write' }],
    [
      'the job over the workflow',
      { 'id-token': 'write' },
      { contents: 'read', packages: 'write' },
      { contents: 'none', packages: 'none', 'id-token': 'write' },
    ],
    ['none at all', {}, 'write-all', { contents: 'none', packages: 'none' }],
    ['read-all', 'read-all', undefined, { contents: 'read', 'id-token': 'none' }],
    ['write-all', 'write-all', undefined, { contents: 'write', 'id-token': 'write' }],
  ])('takes %s', (_, job, workflow, expected) => {
    expect(jobPermissions(job, workflow, open, 'x')).toMatchObject(expected);
  });

  it('reduces a pull request from a fork to reading', () => {
    const permissions = jobPermissions(
      { packages: 'write', 'id-token': 'write', contents: 'read' },
      undefined,
      { ...open, isFork: true },
      'x',
    );
    expect(permissions).toMatchObject({ packages: 'read', 'id-token': 'none', contents: 'read' });
  });

  it('keeps a called workflow within its caller', () => {
    const caller = parsePermissions({ contents: 'read', packages: 'write' }, 'caller');
    expect(jobPermissions(undefined, undefined, { ...open, caller }, 'x')).toEqual(caller);
    expect(jobPermissions({ packages: 'read' }, undefined, { ...open, caller }, 'x')).toMatchObject({
      packages: 'read',
      contents: 'none',
    });
    expect(() => jobPermissions({ 'id-token': 'write' }, undefined, { ...open, caller }, 'x')).toThrow(
      "requesting 'id-token: write', but is only allowed 'id-token: none'",
    );
  });

  it.each([
    [{ package: 'write' }, "Unexpected value 'package'"],
    [{ packages: 'all' }, "packages: Unexpected value 'all'"],
    [{ 'id-token': 'read' }, "id-token: Unexpected value 'read'"],
  ])('refuses %j', (value, message) => {
    expect(() => parsePermissions(value, 'x')).toThrow(message);
  });
});

it.each([
  ['o/r', false],
  ['fork/r', true],
])('knows that a pull request from %s is from a fork: %s', (full_name, expected) => {
  const event = {
    name: 'pull_request',
    ref: 'refs/pull/1/merge',
    sha: '1',
    payload: { pull_request: { head: { repo: { full_name } } } },
  };
  expect(isForkPullRequest(event, 'o/r')).toBe(expected);
});
