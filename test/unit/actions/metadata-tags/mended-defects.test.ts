import { describe, expect, test } from 'vitest';
import { repositoryWithTags } from './git-repository.ts';
import { type MetadataStep, REPOSITORY, runMetadata, SHA } from './metadata-step.ts';

/** What docker/metadata-action v6.2.0 gets wrong, each through the inputs as a workflow gives them. */
interface Row extends MetadataStep {
  readonly name: string;
  readonly tags: readonly string[];
  /** What the log must say. */
  readonly says?: RegExp;
}

const long = `refs/heads/${'a-very-long-branch-name/'.repeat(8)}end`;

const rows: readonly Row[] = [
  {
    name: '1: a comma in quotes survives in a pattern',
    ref: 'refs/tags/release1',
    inputs: { tags: 'type=match,"pattern=^release\\d{1,2}"' },
    tags: ['release1', 'latest'],
  },
  {
    name: '1: a comma in quotes survives in a pattern with a group',
    ref: 'refs/tags/v12x',
    inputs: { tags: 'type=match,"pattern=v(\\d{1,3}).*",group=1' },
    tags: ['12', 'latest'],
  },
  {
    name: '1: the spelling that was needed there still works',
    ref: 'refs/tags/release1',
    inputs: { tags: '"type=match,""pattern=^release\\d{1,2}"""' },
    tags: ['release1', 'latest'],
  },
  {
    name: '1: quotes may stand around the value alone',
    ref: 'refs/tags/release1',
    inputs: { tags: 'type=match,pattern="^release\\d{1,2}"' },
    tags: ['release1', 'latest'],
  },
  {
    name: '2: a match without a capture group uses the whole match',
    ref: 'refs/tags/app-v1.2.3',
    inputs: { tags: 'type=semver,pattern={{version}},match=\\d+\\.\\d+\\.\\d+$' },
    tags: ['1.2.3', 'latest'],
  },
  {
    name: '2: the same for PEP 440',
    ref: 'refs/tags/app-1.2rc1',
    inputs: { tags: 'type=pep440,pattern={{version}},match=\\d.*' },
    tags: ['1.2rc1'],
  },
  {
    name: '3: latest by a rule and by the flavor is one tag',
    ref: 'refs/tags/v1.0.0',
    inputs: { tags: 'type=semver,pattern={{version}}\ntype=raw,value=latest' },
    tags: ['1.0.0', 'latest'],
  },
  {
    name: '4: a tag of more than 128 characters is cut and gets a hash',
    ref: long,
    inputs: { tags: 'type=ref,event=branch' },
    tags: [`${'a-very-long-branch-name-'.repeat(8).slice(0, 119)}-2a603341`],
    says: /::notice::.* cut from 195 characters/,
  },
  {
    name: '4: a leading dash or dot is dropped',
    ref: 'refs/heads/.-dotted',
    inputs: { tags: 'type=ref,event=branch' },
    tags: ['dotted'],
    says: /::notice::.*may not begin with/,
  },
  {
    name: '4: a ref with nothing legal in it is named by a hash',
    ref: 'refs/heads/日本',
    inputs: { tags: 'type=ref,event=branch' },
    tags: ['ref-cf2abf0c'],
    says: /::notice::/,
  },
  {
    name: '5: expressions are not escaped for HTML',
    ref: 'refs/heads/a&b',
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
    ref: 'refs/tags/v1.0.0',
    inputs: { tags: 'type=semver,pattern={{version}}', flavor: 'suffix=-{{sha}},onlatest=true' },
    tags: ['1.0.0-860c190', 'latest-860c190'],
  },
  {
    name: '8: a pre-release keeps what surrounds the pattern',
    ref: 'refs/tags/v1.2.3-rc.1',
    inputs: { tags: 'type=semver,pattern=v{{version}}\ntype=semver,pattern=v{{major}}.{{minor}}' },
    tags: ['v1.2.3-rc.1'],
  },
  {
    name: '9: a pre-release never takes latest from a git tag',
    ref: 'refs/tags/v2.0.8-beta.67',
    inputs: { tags: 'type=ref,event=tag' },
    tags: ['v2.0.8-beta.67'],
    says: /::notice::"latest" is left where it is: 2\.0\.8-beta\.67 is a pre-release/,
  },
  {
    name: '12: with all images disabled nothing is tagged',
    inputs: { images: 'name=ghcr.io/acme/app,enable=false', tags: 'type=sha' },
    tags: [],
    says: /::notice::every entry of "images" is disabled/,
  },
  {
    name: '15: an indented comment is a comment, a # behind text is text',
    inputs: { tags: 'type=raw,value=a\n  # type=raw,value=b\n  type=raw,value=c # tail' },
    tags: ['a', 'c-tail'],
  },
  {
    name: '16: build metadata stays, with a dash',
    ref: 'refs/tags/v1.2.3+build.5',
    inputs: { tags: 'type=semver,pattern={{version}}' },
    tags: ['1.2.3-build.5', 'latest'],
    says: /::notice::.*"\+" became "-"/,
  },
  {
    name: '17: a merge group knows its pull request',
    event: 'merge_group',
    ref: `refs/heads/gh-readonly-queue/main/pr-104-${SHA}`,
    inputs: { tags: 'type=ref,event=pr' },
    tags: ['pr-104'],
  },
];

test.each(rows)('$name', async ({ tags, says, ...step }) => {
  const result = await runMetadata({ ...step, inputs: { images: 'ghcr.io/acme/app', ...step.inputs } });
  expect(result.tags).toEqual(tags.map((tag) => `ghcr.io/acme/app:${tag}`));
  if (says !== undefined) expect(result.log).toMatch(says);
});

describe('what is refused, with its place', () => {
  const refused: readonly (MetadataStep & { readonly name: string; readonly because: RegExp })[] = [
    {
      name: '10: a branch that is called as a pull request is',
      ref: 'refs/heads/pr-2',
      inputs: { tags: 'type=ref,event=branch\ntype=ref,event=pr' },
      because: /"pr-2" would name refs\/heads\/pr-2, and pull request 2/,
    },
    {
      name: '10: two branches with one tag',
      ref: 'refs/heads/feature/x',
      inputs: { tags: 'type=ref,event=branch', 'known-refs': 'main, feature-x' },
      because: /"feature-x" would name refs\/heads\/feature\/x, and refs\/heads\/feature-x/,
    },
    {
      name: '10: a branch that is called as another rule names the default branch',
      ref: 'refs/heads/edge',
      inputs: { tags: 'type=edge\ntype=ref,event=branch' },
      because: /"edge" would name refs\/heads\/edge, and what type=edge names/,
    },
    {
      name: '10: a branch that is called latest',
      ref: 'refs/heads/latest',
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
      environment: { DOCKER_METADATA_SHORT_SHA_LENGTH: '-3' },
      because: /DOCKER_METADATA_SHORT_SHA_LENGTH is "-3"/,
    },
    {
      name: '16: a broken pattern',
      ref: 'refs/tags/v1',
      inputs: { tags: 'type=match,pattern=v(' },
      because: /input "tags": line 1: "v\(" is no regular expression/,
    },
  ];

  test.each(refused)('$name', async ({ because, ...step }) => {
    await expect(runMetadata(step)).rejects.toThrow(because);
  });
});

test('5: expressions in labels are not escaped for HTML', async () => {
  const { outputs } = await runMetadata({ ref: 'refs/heads/a&b', inputs: { labels: 'x={{branch}}' } });
  expect(outputs['labels']).toContain('\nx=a&b');
});

test('14: a label of several lines is whole in every output', async () => {
  const result = await runMetadata({ inputs: { labels: '"notes=first\nsecond, ""third"""' } });
  const value = 'first\nsecond, "third"';
  expect(JSON.parse(String(result.outputs['json'])).labels.notes).toBe(value);
  expect(result.bakeFile('bakeFileLabels')).toMatchObject({
    target: { 'docker-metadata-action': { labels: { notes: value } } },
  });
  expect(result.outputs['labels']).toContain('"notes=first\nsecond, ""third"""');
});

describe('9: an older version', () => {
  test.each([
    ['v1.0.5', ['1.0.5', '1.0']],
    ['v2.1.0', ['2.1.0', '2.1', '2', 'latest']],
    ['v1.1.2', ['1.1.2', '1.1', '1']],
  ])('%s leaves what a newer version has', async (tag, expected) => {
    await using repository = await repositoryWithTags(['v1.0.4', 'v1.1.1', 'v2.0.0', 'v3.0.0-rc.1', 'unrelated', tag]);
    const result = await runMetadata({
      workspace: repository.folder,
      ref: `refs/tags/${tag}`,
      payload: { repository: REPOSITORY },
      inputs: {
        tags: 'type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}}',
      },
    });
    expect(result.tags).toEqual(expected);
  });
});
