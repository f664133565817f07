import { describe, expect, it } from 'vitest';
import { matchesPatterns, parseFilter } from '../../../harness/workflow/filter-patterns.ts';
import { decideTrigger } from '../../../harness/workflow/triggers.ts';

describe('matchesPatterns', () => {
  it.each([
    ['feature/*', 'feature/a', true],
    ['feature/*', 'feature/a/b', false],
    ['feature/**', 'feature/a/b', true],
    ['**', 'all/the/branches', true],
    ['*', 'a/b', false],
    ['*feature', 'mona-feature', true],
    ['v2*', 'v2.0', true],
    ['v[12].[0-9]+.[0-9]+', 'v1.10.1', true],
    ['v[12].[0-9]+.[0-9]+', 'v3.0.0', false],
    ['*.jsx?', 'page.js', true],
    ['*.jsx?', 'page.jsx', true],
    ['**.js', 'js/index.js', true],
    ['*.js', 'js/index.js', false],
    ['docs/*', 'docs/a.md', true],
    ['docs/*', 'docs/a/b.md', false],
    ['docs/**/*.md', 'docs/a.md', true],
    ['docs/**/*.md', 'docs/a/b/c.md', true],
    ['**/docs/**', 'docs/a.md', true],
    ['**/docs/**', 'x/docs/y/a.md', true],
    ['**/README.md', 'README.md', true],
    ['**/*src/**', 'a/src/x', true],
    ['v1.0', 'v1x0', false],
    ['a\\*', 'a*', true],
  ])('%s against %s is %s', (pattern, text, expected) => {
    expect(matchesPatterns(text, [pattern])).toBe(expected);
  });

  it('lets the last pattern that matches decide', () => {
    const patterns = ['releases/**', '!releases/**-alpha', 'releases/9-alpha'];
    expect(
      ['releases/1', 'releases/2-alpha', 'releases/9-alpha'].map((name) => matchesPatterns(name, patterns)),
    ).toEqual([true, false, true]);
  });

  it('refuses filters GitHub refuses', () => {
    expect(() => parseFilter(['a'], ['b'], 'branches')).toThrow("only define one of 'branches' and 'branches-ignore'");
    expect(() => parseFilter(['!a'], undefined, 'paths')).toThrow("without '!'");
  });
});

const push = (ref: string, payload = {}) => ({ name: 'push', ref, sha: '1', payload });
const pull = (baseRef: string, action = 'opened') => ({
  name: 'pull_request',
  ref: 'refs/pull/1/merge',
  sha: '1',
  baseRef,
  payload: { action },
});

describe('decideTrigger', () => {
  it.each([
    ['no filter', { push: null }, push('refs/heads/x'), true],
    ['another event', { pull_request: null }, push('refs/heads/x'), false],
    ['a listed branch', { push: { branches: ['main'] } }, push('refs/heads/main'), true],
    ['an unlisted branch', { push: { branches: ['main'] } }, push('refs/heads/dev'), false],
    ['an ignored branch', { push: { 'branches-ignore': ['dev'] } }, push('refs/heads/dev'), false],
    ['a tag where only branches are listed', { push: { branches: ['main'] } }, push('refs/tags/v1'), false],
    ['a branch where only tags are listed', { push: { tags: ['v*'] } }, push('refs/heads/main'), false],
    ['a tag where both are listed', { push: { branches: ['main'], tags: ['v*'] } }, push('refs/tags/v1'), true],
    ['a listed base branch', { pull_request: { branches: ['main'] } }, pull('main'), true],
    ['an unlisted base branch', { pull_request: { branches: ['main'] } }, pull('dev'), false],
    ['a default type', { pull_request: null }, pull('main', 'synchronize'), true],
    ['a type that is not default', { pull_request: null }, pull('main', 'labeled'), false],
    ['a listed type', { pull_request: { types: ['labeled'] } }, pull('main', 'labeled'), true],
    [
      'a release type',
      { release: { types: 'published' } },
      { name: 'release', ref: 'refs/tags/v1', sha: '1', payload: { action: 'created' } },
      false,
    ],
    [
      'a known schedule',
      { schedule: [{ cron: '0 1 * * *' }] },
      { name: 'schedule', ref: 'refs/heads/main', sha: '1', payload: { schedule: '0 1 * * *' } },
      true,
    ],
    [
      'an unknown schedule',
      { schedule: [{ cron: '0 1 * * *' }] },
      { name: 'schedule', ref: 'refs/heads/main', sha: '1', payload: { schedule: '0 2 * * *' } },
      false,
    ],
    ['a skip instruction', { push: null }, push('refs/heads/main', { head_commit: { message: 'x [skip ci]' } }), false],
    ['paths, which tags ignore', { push: { tags: ['v*'], paths: ['a/**'] } }, push('refs/tags/v1'), true],
  ])('%s', (_, on, event, expected) => {
    expect(decideTrigger(new Map(Object.entries(on)), event, ['other.txt']).isTriggered).toBe(expected);
  });

  it.each([
    [{ paths: ['src/**'] }, ['src/a', 'b'], true],
    [{ paths: ['src/**'] }, ['b'], false],
    [{ paths: ['src/**', '!src/docs/**'] }, ['src/docs/a'], false],
    [{ 'paths-ignore': ['docs/**'] }, ['docs/a'], false],
    [{ 'paths-ignore': ['docs/**'] }, ['docs/a', 'b'], true],
    [{ paths: ['src/**'] }, undefined, true],
    [{ paths: ['src/**'], branches: ['dev'] }, ['src/a'], false],
  ])('%j with changes %j is %s', (filters, paths, expected) => {
    expect(decideTrigger(new Map([['push', filters]]), push('refs/heads/main'), paths).isTriggered).toBe(expected);
  });
});
