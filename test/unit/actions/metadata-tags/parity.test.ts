import { describe, expect, test } from 'vitest';
import { REPOSITORY, runMetadata } from './metadata-step.ts';

/** Cases of docker/metadata-action's own tests that give the same here, through the inputs as a workflow has them. */
const rows: readonly (readonly [ref: string, rules: readonly string[], flavor: string, tags: readonly string[]])[] = [
  ['v1.1.1', ['type=match,"pattern=\\d.\\d.\\d"'], '', ['1.1.1', 'latest']],
  ['v1.1.1', ['type=match,"pattern=^v(\\d.\\d.\\d)$",group=1'], '', ['1.1.1', 'latest']],
  ['sometag', ['type=match,"pattern=\\d.\\d"'], '', []],
  [
    'v1.1.1',
    ['type=semver,pattern={{version}}', 'type=semver,pattern={{major}}.{{minor}}.{{patch}}'],
    '',
    ['1.1.1', 'latest'],
  ],
  [
    'v2.0.8-beta.67',
    ['type=semver,pattern={{major}}.{{minor}}', 'type=semver,pattern={{major}}'],
    '',
    ['2.0.8-beta.67'],
  ],
  [
    'v2.0.8-beta.67',
    ['type=raw,priority=2000,foo', 'type=semver,pattern={{version}}', 'type=match,"pattern=\\d.\\d"'],
    '',
    ['foo', '2.0.8-beta.67', '2.0'],
  ],
  [
    'sometag',
    ['type=ref,event=tag', 'type=semver,pattern={{version}}', 'type=semver,pattern={{major}}'],
    'latest=false',
    ['sometag'],
  ],
  ['v1.1.1', ['type=raw,priority=2000,foo', 'type=ref,event=tag', 'type=edge'], '', ['foo', 'v1.1.1']],
  [
    'p1/v1.0.0',
    [
      'type=match,"pattern=/^v(\\d.\\d.\\d)$/ig",group=1',
      'type=match,pattern=\\d.\\d.\\d',
      'type=match,pattern=\\d.\\d',
      'type=ref,event=pr',
      'type=sha',
    ],
    '',
    ['1.0.0', '1.0', 'sha-860c190', 'latest'],
  ],
  [
    'p1/v1.0.0',
    ['type=match,pattern=p1/v(\\d.\\d.\\d),group=1', 'type=match,pattern=p1/v(\\d.\\d),group=3', 'type=sha'],
    '',
    ['1.0.0', 'sha-860c190', 'latest'],
  ],
  [
    'p1/v1.0.0',
    ['type=match,pattern=p1/v(\\d.\\d.\\d),group=1', 'type=match,pattern=p1/v(\\d.\\d),group=1,suffix=', 'type=sha'],
    'suffix=-dev',
    ['1.0.0-dev', '1.0', 'sha-860c190-dev', 'latest'],
  ],
  [
    'v1.1.1',
    [
      'type=raw,{{tag}}-{{sha}}-foo',
      'type=raw,{{base_ref}}-foo',
      'type=raw,defbranch-foo,enable={{is_default_branch}}',
    ],
    '',
    ['v1.1.1-860c190-foo', 'master-foo'],
  ],
  ['v1.1.1', ['type=semver,pattern={{version}}'], 'suffix=-dev,onlatest=true', ['1.1.1-dev', 'latest-dev']],
  [
    'v1.1.1',
    ['type=semver,pattern={{version}}'],
    'prefix=foo-,onlatest=true\nsuffix=-dev,onlatest=true',
    ['foo-1.1.1-dev', 'foo-latest-dev'],
  ],
  [
    'v1.1.1',
    ['type=pep440,pattern={{raw}}', 'type=pep440,pattern={{major}}.{{minor}}'],
    '',
    ['v1.1.1', '1.1', 'latest'],
  ],
  ['1.1beta2', ['type=pep440,pattern={{major}}.{{minor}}', 'type=pep440,pattern={{major}}'], '', ['1.1b2']],
  ['1.0dev4', ['type=pep440,pattern={{major}}.{{minor}}'], '', ['1.0.dev4']],
  [
    '1.2.3rc2',
    ['type=pep440,pattern={{raw}}', 'type=pep440,pattern={{version}}', 'type=pep440,pattern={{major}}'],
    '',
    ['1.2.3rc2'],
  ],
  ['1.2post1', ['type=pep440,pattern={{version}}', 'type=pep440,pattern={{major}}'], '', ['1.2.post1']],
  [
    'v1.2.3rc2',
    ['type=pep440,pattern={{raw}}', 'type=pep440,pattern={{major}}.{{minor}}'],
    '',
    ['v1.2.3rc2', '1.2.3rc2'],
  ],
];

test.each(rows)('%s with %j and %j gives %j', async (tag, rules, flavor, expected) => {
  const result = await runMetadata({
    ref: `refs/tags/${tag}`,
    payload: { base_ref: 'refs/heads/master', repository: { ...REPOSITORY, default_branch: 'master' } },
    inputs: { images: 'org/app\nghcr.io/user/app', tags: rules.join('\n'), flavor },
  });
  expect(result.tags).toEqual(
    ['org/app', 'ghcr.io/user/app'].flatMap((name) => expected.map((made) => `${name}:${made}`)),
  );
});

/** There the same rules also gave `latest`; a pre-release does not take it here unless it is told to. */
describe('a pre-release that a pattern matches', () => {
  test.each([
    ['v2.0.8-beta.67', ['type=match,"pattern=\\d.\\d.\\d-(alpha|beta).\\d+"'], ['2.0.8-beta.67']],
    [
      'v2.0.8-beta.67',
      ['type=match,"pattern=v(.*)-beta.(.*)",group=1', 'type=match,"pattern=v(.*)-beta.(.*)",group=2'],
      ['2.0.8', '67'],
    ],
  ])('%s with %j', async (tag, rules, expected) => {
    const step = { ref: `refs/tags/${tag}`, inputs: { tags: rules.join('\n') } };
    expect((await runMetadata(step)).tags).toEqual(expected);
    expect((await runMetadata({ ...step, inputs: { ...step.inputs, 'latest-guard': 'false' } })).tags).toEqual([
      ...expected,
      'latest',
    ]);
  });
});
