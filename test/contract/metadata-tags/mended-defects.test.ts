import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mergeGroup, pullRequestEvent, push, release } from '../../harness/github-events.ts';
import { repositoryWithTags } from '../../harness/small-repository.ts';
import { type BundleStep, runBundle } from './run-bundle.ts';

/** What docker/metadata-action v6.2.0 gets wrong, each through the bundle and the inputs as a workflow gives them. */
interface Row extends BundleStep {
  readonly name: string;
  readonly tags: readonly string[];
  /** What the log must say. */
  readonly says?: RegExp;
}

const long = `refs/heads/${'a-very-long-branch-name/'.repeat(8)}end`;

const rows: readonly Row[] = [
  {
    name: '1: a comma in quotes survives in a pattern',
    event: push('refs/tags/release1'),
    inputs: { tags: 'type=match,"pattern=^release\\d{1,2}"' },
    tags: ['release1', 'latest'],
  },
  {
    name: '1: a comma in quotes survives in a pattern with a group',
    event: push('refs/tags/v12x'),
    inputs: { tags: 'type=match,"pattern=v(\\d{1,3}).*",group=1' },
    tags: ['12', 'latest'],
  },
  {
    name: '1: the spelling that was needed there still works',
    event: push('refs/tags/release1'),
    inputs: { tags: '"type=match,""pattern=^release\\d{1,2}"""' },
    tags: ['release1', 'latest'],
  },
  {
    name: '1: quotes may stand around the value alone',
    event: push('refs/tags/release1'),
    inputs: { tags: 'type=match,pattern="^release\\d{1,2}"' },
    tags: ['release1', 'latest'],
  },
  {
    name: '2: a match without a capture group uses the whole match',
    event: push('refs/tags/app-v1.2.3'),
    inputs: { tags: 'type=semver,pattern={{version}},match=\\d+\\.\\d+\\.\\d+$' },
    tags: ['1.2.3', 'latest'],
  },
  {
    name: '2: the same for PEP 440',
    event: push('refs/tags/app-1.2rc1'),
    inputs: { tags: 'type=pep440,pattern={{version}},match=\\d.*' },
    tags: ['1.2rc1'],
  },
  {
    name: '3: latest by a rule and by the flavor is one tag',
    event: push('refs/tags/v1.0.0'),
    inputs: { tags: 'type=semver,pattern={{version}}\ntype=raw,value=latest' },
    tags: ['1.0.0', 'latest'],
  },
  {
    name: '4: a tag of more than 128 characters is cut and gets a hash',
    event: push(long),
    inputs: { tags: 'type=ref,event=branch' },
    tags: [`${'a-very-long-branch-name-'.repeat(8).slice(0, 119)}-2a603341`],
    says: /cut from 195 characters/,
  },
  {
    name: '4: a leading dash or dot is dropped',
    event: push('refs/heads/.-dotted'),
    inputs: { tags: 'type=ref,event=branch' },
    tags: ['dotted'],
    says: /may not begin with/,
  },
  {
    name: '4: a ref with nothing legal in it is named by a hash',
    event: push('refs/heads/日本'),
    inputs: { tags: 'type=ref,event=branch' },
    tags: ['ref-cf2abf0c'],
    says: /"ref-cf2abf0c" stands for it/,
  },
  {
    name: '5: expressions are not escaped for HTML',
    event: push('refs/heads/a&b'),
    inputs: { tags: 'type=raw,value={{branch}}' },
    tags: ['a-b'],
  },
  {
    name: '6: a flavor splits at the first equals sign',
    inputs: { tags: 'type=ref,event=branch', flavor: 'suffix=-a=b' },
    tags: ['main-a-b'],
  },
  {
    name: '7: expressions of the flavor are rendered for latest too',
    event: push('refs/tags/v1.0.0'),
    inputs: { tags: 'type=semver,pattern={{version}}', flavor: 'suffix=-{{sha}},onlatest=true' },
    tags: ['1.0.0-860c190', 'latest-860c190'],
  },
  {
    name: '8: a pre-release keeps what surrounds the pattern',
    event: push('refs/tags/v1.2.3-rc.1'),
    inputs: { tags: 'type=semver,pattern=v{{version}}\ntype=semver,pattern=v{{major}}.{{minor}}' },
    tags: ['v1.2.3-rc.1'],
  },
  {
    name: '9: a pre-release never takes latest from a git tag',
    event: push('refs/tags/v2.0.8-beta.67'),
    inputs: { tags: 'type=ref,event=tag' },
    tags: ['v2.0.8-beta.67'],
    says: /"latest" is left where it is: 2\.0\.8-beta\.67 is a pre-release/,
  },
  {
    name: '12: with all images disabled nothing is tagged',
    inputs: { images: 'name=ghcr.io/acme/app,enable=false', tags: 'type=sha' },
    tags: [],
    says: /every entry of "images" is disabled/,
  },
  {
    name: '15: an indented comment is a comment, a # behind text is text',
    inputs: { tags: 'type=raw,value=a\n  # type=raw,value=b\n  type=raw,value=c # tail' },
    tags: ['a', 'c-tail'],
  },
  {
    name: '16: build metadata stays, with a dash',
    event: push('refs/tags/v1.2.3+build.5'),
    inputs: { tags: 'type=semver,pattern={{version}}' },
    tags: ['1.2.3-build.5', 'latest'],
    says: /"\+" became "-"/,
  },
  {
    name: '17: a merge group knows its pull request',
    event: mergeGroup(104),
    inputs: { tags: 'type=ref,event=pr' },
    tags: ['pr-104'],
  },
];

test.concurrent.each(rows)('$name', async ({ tags, says, name: _, ...step }) => {
  const result = await runBundle({ ...step, inputs: { images: 'ghcr.io/acme/app', ...step.inputs } });
  expect(result.outcome).toBe('success');
  expect(result.tags).toEqual(tags.map((tag) => `ghcr.io/acme/app:${tag}`));
  if (says !== undefined) expect(result.said('notice').join('\n')).toMatch(says);
});

describe.concurrent('what is refused, with its place', () => {
  const refused: readonly (BundleStep & { readonly name: string; readonly because: RegExp })[] = [
    {
      name: '10: a branch that is called as a pull request is',
      event: push('refs/heads/pr-2'),
      inputs: { tags: 'type=ref,event=branch\ntype=ref,event=pr' },
      because: /"pr-2" would name refs\/heads\/pr-2, and pull request 2/,
    },
    {
      name: '10: a pull request that is called as a branch is',
      event: pullRequestEvent('pull_request', 2),
      inputs: { tags: 'type=ref,event=branch\ntype=ref,event=pr', 'known-refs': 'pr-2' },
      because: /"pr-2" would name refs\/pull\/2\/merge, and refs\/heads\/pr-2/,
    },
    {
      name: '10: two branches with one tag',
      event: push('refs/heads/feature/x'),
      inputs: { tags: 'type=ref,event=branch', 'known-refs': 'main, feature-x' },
      because: /"feature-x" would name refs\/heads\/feature\/x, and refs\/heads\/feature-x/,
    },
    {
      name: '10: a branch that is called as another rule names the default branch',
      event: push('refs/heads/edge'),
      inputs: { tags: 'type=edge\ntype=ref,event=branch' },
      because: /"edge" would name refs\/heads\/edge, and what type=edge names/,
    },
    {
      name: '10: a branch that is called latest',
      event: push('refs/heads/latest'),
      because: /"latest" would name refs\/heads\/latest/,
    },
    {
      name: '11: a misspelt attribute',
      inputs: { tags: 'type=sha\ntype=raw,value=x,enabled=false' },
      because: /input "tags": line 2: "enabled" is no attribute of type=raw; did you mean "enable"\?/,
    },
    {
      name: '13: an image with a scheme',
      inputs: { images: 'https://ghcr.io/a/b:1' },
      because: /line 1: "https:.*leave out the scheme/,
    },
    { name: '13: an image with a blank', inputs: { images: 'ghcr.io/acme/my app' }, because: /holds a blank/ },
    { name: '13: an image with a tag', inputs: { images: '\nghcr.io/a/b:1' }, because: /leave out the tag/ },
    {
      name: '16: an unknown time zone',
      inputs: { tags: `type=raw,value={{date 'YYYY' tz='Mars/X'}}` },
      because: /input "tags": line 1: tz='Mars\/X' is no time zone/,
    },
    {
      name: '16: a short-SHA length below zero',
      env: { DOCKER_METADATA_SHORT_SHA_LENGTH: '-3' },
      because: /DOCKER_METADATA_SHORT_SHA_LENGTH is "-3"/,
    },
    {
      name: '16: a broken pattern',
      event: push('refs/tags/v1'),
      inputs: { tags: 'type=match,pattern=v(' },
      because: /input "tags": line 1: "v\(" is no regular expression/,
    },
  ];

  test.each(refused)('$name', async ({ because, name: _, ...step }) => {
    const { exitCode, outputs, env, said } = await runBundle(step);
    expect(said('error')).toEqual([expect.stringMatching(because)]);
    expect([exitCode, outputs, env]).toEqual([1, {}, {}]);
  });
});

test('5: expressions in labels are not escaped for HTML', async () => {
  const { outputs } = await runBundle({ event: push('refs/heads/a&b'), inputs: { labels: 'x={{branch}}' } });
  expect(outputs['labels']).toMatch(/\nx=a&b$/);
});

test('10: collisions may be a warning; without that the job summary tells them, and there are no outputs', async () => {
  const step = { event: push('refs/heads/pr-2'), inputs: { images: 'ghcr.io/acme/app' } };
  const stopped = await runBundle(step);
  expect([stopped.outcome, stopped.outputs, stopped.env]).toEqual(['failure', {}, {}]);
  expect(stopped.said('error')).toEqual([
    expect.stringMatching(/Give one of them a prefix, or set "on-collision: warn"$/),
  ]);
  expect(stopped.summary).toContain('[!CAUTION]');
  expect(stopped.summary).toContain('pull request 2');
  const warned = await runBundle({ ...step, inputs: { ...step.inputs, 'on-collision': 'warn' } });
  expect([warned.outcome, warned.tags.length]).toEqual(['success', 2]);
  expect(warned.said('warning')).toEqual([
    expect.stringMatching(/^two things would be written under one name: "pr-2"/),
  ]);
});

test('14: a label of several lines is whole in every output', async () => {
  await using folder = await temporaryFolder();
  const inputs = { labels: '"notes=first\nsecond, ""third"""', annotations: '"notes=first\nsecond, ""third"""' };
  const { outputs, env } = await runBundle({ inputs, env: { RUNNER_TEMP: folder.path } });
  const value = 'first\nsecond, "third"';
  expect(JSON.parse(outputs['json'] ?? '')).toMatchObject({
    labels: { notes: value },
    annotations: expect.arrayContaining([`manifest:notes=${value}`]),
  });
  for (const name of ['bake-file', 'bake-file-labels']) {
    const bake: unknown = JSON.parse(await readFile(outputs[name] ?? '', 'utf8'));
    expect(bake).toMatchObject({ target: { 'docker-metadata-action': { labels: { notes: value } } } });
  }
  expect(outputs['labels']).toContain('"notes=first\nsecond, ""third"""');
  expect(env['DOCKER_METADATA_OUTPUT_LABELS']).toBe(outputs['labels']);
});

describe.concurrent('9: an older version', () => {
  const inputs = {
    tags: 'type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}}',
  };
  const known = ['v1.0.4', 'v1.1.1', 'v2.0.0', 'v3.0.0-rc.1', 'unrelated'];

  test.each([
    ['v1.0.5', '1.0.5 1.0'],
    ['v2.1.0', '2.1.0 2.1 2 latest'],
    ['v1.1.2', '1.1.2 1.1 1'],
    ['v2.2.0-rc.1', '2.2.0-rc.1'],
  ])('%s leaves what a newer version has, by the clone', async (tag, expected) => {
    await using repository = await repositoryWithTags([...known, tag]);
    const { tags, requests } = await runBundle({
      event: push(`refs/tags/${tag}`),
      workspace: repository.folder,
      inputs,
    });
    expect(tags.join(' ')).toBe(expected);
    expect(requests).toEqual([]);
  });

  test('leaves it by the API where nothing is checked out', async () => {
    const tags = Object.fromEntries(known.map((tag) => [tag, 'a'.repeat(40)]));
    const result = await runBundle({ event: release('v1.0.5'), inputs, repository: { tags } });
    expect(result.tags.join(' ')).toBe('1.0.5 1.0');
    expect(result.summary).toContain('<del><code>latest</code></del>');
    expect(result.summary).toContain('v2.0.0 is newer than v1.0.5');
  });

  test('takes all the same when the guard is off', async () => {
    const step = { event: push('refs/tags/v1.0.5'), repository: { tags: { 'v2.0.0': 'a'.repeat(40) } } };
    const { tags } = await runBundle({ ...step, inputs: { ...inputs, 'latest-guard': 'false' } });
    expect(tags.join(' ')).toBe('1.0.5 1.0 1 latest');
  });
});

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'metadata-tags-bake-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
