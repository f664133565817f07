import { describe, expect, test } from 'vitest';
import { githubEvents, push, SHA } from '../../harness/github-events.ts';
import { inputSets } from './docker-inputs.ts';
import answers from './fixtures/docker-metadata-action.json' with { type: 'json' };
import { runBundle } from './run-bundle.ts';

const QUEUED = 'gh-readonly-queue-main-pr-104-5b3d5e2f1c6a4b0e9d8c7f6a5b4c3d2e1f0a9b8c';

/** Where the answers differ, and must: inputs, event, and the tags that are right. */
const mended: Readonly<Record<string, readonly (readonly [inputs: string, event: string, tags: string])[]>> = {
  'a pre-release never takes latest': [
    ["docker's own rules", 'tag v2.0.8-beta.67', 'v2.0.8-beta.67'],
    ["docker's own rules", 'tag 1.2.3rc2', '1.2.3rc2'],
    ['semver with a match', 'tag v2.0.8-beta.67', 'v2.0.8-beta.67'],
    ['semver with a match', 'tag 1.2.3rc2', '1.2.3rc2'],
    ['match', 'tag v2.0.8-beta.67', '2.0 2'],
    ['match', 'tag 1.2.3rc2', '1.2 1'],
    ['match as /pattern/flags', 'tag v2.0.8-beta.67', '2'],
    ['match with a value', 'tag v2.0.8-beta.67', 'end'],
    ['match with a value', 'tag 1.2.3rc2', 'end'],
    ['ref with other prefixes', 'tag v2.0.8-beta.67', 'v2.0.8-beta.67-t'],
    ['ref with other prefixes', 'tag 1.2.3rc2', '1.2.3rc2-t'],
    ['latest=true', 'tag v2.0.8-beta.67', 'v2.0.8-beta.67'],
    ['latest=true', 'tag 1.2.3rc2', '1.2.3rc2'],
    ['a prefix and a suffix on latest', 'tag 1.2.3rc2', 'pre-1.2.3rc2-alpine'],
  ],
  'a pre-release keeps what surrounds the pattern': [
    ['semver, around the pattern', 'tag v2.0.8-beta.67', 'v2.0.8-beta.67-x'],
  ],
  'a merge group knows its pull request and the branch it goes into': [
    ["docker's own rules", 'merge_group', `${QUEUED} pr-104`],
    ['of its README', 'merge_group', `${QUEUED} pr-104 sha-860c190`],
    ['ref with other prefixes', 'merge_group', `b-${QUEUED} 104`],
    ['pull request with a commit', 'merge_group', 'pr-104-860c190'],
    ['expressions', 'merge_group', `${QUEUED}__main_860c190`],
    ['latest=true', 'merge_group', `${QUEUED} pr-104 latest`],
    ['a prefix and a suffix', 'merge_group', `pre-${QUEUED}-alpine pr-104-alpine sha-860c190-alpine`],
  ],
  'a new branch is not the default branch': [
    ['the default branch', 'create of a branch', 'other'],
    ['the date of the commit', 'create of a branch', ''],
  ],
};
const right = new Map(
  Object.values(mended).flatMap((cells) =>
    cells.map(([inputs, event, tags]): [string, string] => [`${inputs}, ${event}`, tags]),
  ),
);

test('each answer that differs is one that was recorded', () => {
  const recorded: Readonly<Record<string, Readonly<Record<string, string>>>> = answers;
  for (const [inputs, event, tags] of Object.values(mended).flat())
    expect([inputs, event, recorded[inputs]?.[event]]).not.toEqual([inputs, event, tags]);
});

describe.concurrent.each(Object.entries(answers))('%s', (name, byEvent) => {
  test.each(Object.entries(byEvent))('for %s gives %j, or what is right', async (event, theirs) => {
    const { tags } = await runBundle({
      event: githubEvents[event] ?? push(''),
      inputs: inputSets[name] ?? {},
      repository: { commits: [{ sha: SHA, date: '2026-03-04T22:30:00Z' }] },
    });
    expect(tags.join(' ')).toBe(right.get(`${name}, ${event}`) ?? theirs);
  });
});
