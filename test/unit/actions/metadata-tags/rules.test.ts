import { describe, expect, test } from 'vitest';
import { type MetadataStep, REPOSITORY, runMetadata, SHA } from './metadata-step.ts';

/** The grammar of docker/metadata-action v6.2, where its answers are right. */
const rows: readonly (readonly [rule: string, step: MetadataStep, tags: readonly string[]])[] = [
  ['type=schedule', { event: 'schedule' }, ['nightly']],
  ["type=schedule,pattern={{date '[at]-X'}}\ntype=raw,value=x", { event: 'push' }, ['x']],
  [
    'type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}}',
    { ref: 'refs/tags/v1.2.3' },
    ['1.2.3', '1.2', '1', 'latest'],
  ],
  ['type=semver,pattern={{raw}}', { ref: 'refs/tags/v1.2.3' }, ['v1.2.3', 'latest']],
  ['type=semver,pattern={{raw}}', { ref: 'refs/tags/v2.0.0-rc.1' }, ['v2.0.0-rc.1']],
  ['type=semver,pattern={{version}},value=v3.1.0', { ref: 'refs/heads/dev' }, ['3.1.0', 'latest']],
  ['type=semver,pattern={{version}}', { ref: 'refs/tags/sometag' }, []],
  ['type=semver,pattern={{version}},match=app/(.*)', { ref: 'refs/tags/x' }, []],
  [
    'type=pep440,pattern={{version}}\ntype=pep440,pattern={{major}}.{{minor}}',
    { ref: 'refs/tags/1.2' },
    ['1.2', 'latest'],
  ],
  ['type=semver,pattern=stable', { ref: 'refs/tags/v2.0.0-rc.1' }, ['2.0.0-rc.1']],
  ['type=pep440,pattern={{version}}', { ref: 'refs/tags/1.2.post3' }, ['1.2.post3']],
  ['type=pep440,pattern={{raw}}', { ref: 'refs/tags/v1.2.dev1' }, ['v1.2.dev1']],
  ['type=match,pattern=v(\\d+)\\.(\\d+),group=2', { ref: 'refs/tags/v4.5.6' }, ['5', 'latest']],
  ['type=match,pattern=/V(\\d+)/i,group=1', { ref: 'refs/tags/v4' }, ['4', 'latest']],
  ['type=match,pattern=v(\\d+),group=3', { ref: 'refs/tags/v4' }, []],
  ['type=match,pattern=^v\\d{1,2}', { ref: 'refs/tags/v123' }, ['v12', 'latest']],
  ['type=match,pattern=^v\\d{2,},suffix=-x', { ref: 'refs/tags/v123' }, ['v123-x', 'latest']],
  ['type=match,pattern=\\d{4},value=build-2026-x', { ref: 'refs/heads/main' }, ['2026', 'latest']],
  ['type=edge', { ref: 'refs/heads/main' }, ['edge']],
  ['type=edge', { ref: 'refs/heads/dev' }, []],
  ['type=edge,branch=dev', { ref: 'refs/heads/dev' }, ['edge']],
  ['type=ref,event=branch', { ref: 'refs/heads/feature/login' }, ['feature-login']],
  ['type=ref,event=tag', { ref: 'refs/tags/some/tag' }, ['some-tag', 'latest']],
  ['type=ref,event=pr', { ref: 'refs/pull/12/merge', event: 'pull_request' }, ['pr-12']],
  ['type=ref,event=pr', { event: 'pull_request_target', payload: { number: 9, repository: REPOSITORY } }, ['pr-9']],
  ['type=ref,event=pr,prefix=', { ref: 'refs/pull/12/merge', event: 'pull_request' }, ['12']],
  ['type=sha', {}, ['sha-860c190']],
  ['type=sha,format=long,prefix=', {}, [SHA]],
  ['type=sha', { environment: { DOCKER_METADATA_SHORT_SHA_LENGTH: '12' } }, ['sha-860c1904a1ce']],
  ['type=sha\ntype=ref,event=branch\ntype=raw,value=x', {}, ['main', 'x', 'sha-860c190']],
  ['type=sha,priority=2000\ntype=ref,event=branch', {}, ['sha-860c190', 'main']],
  ['bare', {}, ['bare']],
  ['type=raw,value=x,enable={{is_default_branch}}\ntype=raw,value=y,enable={{is_not_default_branch}}', {}, ['x']],
  ['type=raw,value=\ntype=raw,value=x', {}, ['x']],
  ['type=raw,value={{branch}}-{{sha}}-{{base_ref}}end', {}, ['main-860c190-end']],
  [
    'type=raw,value={{base_ref}}',
    { event: 'pull_request', ref: 'refs/pull/2/merge', payload: { pull_request: { base: { ref: 'dev' } } } },
    ['dev'],
  ],
  [
    "type=raw,value={{commit_date 'YYYYMMDD' tz='Asia/Tokyo'}}",
    { payload: { repository: REPOSITORY, head_commit: { id: SHA, timestamp: '2026-01-01T20:00:00Z' } } },
    ['20260102'],
  ],
  [
    'type=ref,event=tag',
    { event: 'release', ref: 'refs/heads/main', payload: { release: { tag_name: 'v1.0.0' }, repository: REPOSITORY } },
    ['v1.0.0', 'latest'],
  ],
];

test.each(rows)('%s in %o gives %j', async (tags, step, expected) => {
  expect((await runMetadata({ ...step, inputs: { tags } })).tags).toEqual(expected);
});

describe('the flavor', () => {
  test.each([
    ['latest=true', ['main', 'latest']],
    ['prefix=x-,onlatest=true\nlatest=true', ['x-main', 'x-latest']],
    ['latest=true\nsuffix=-x', ['main-x', 'latest']],
    ['latest=false', ['main']],
    ['prefix={{sha}}-', ['860c190-main']],
  ])('%j', async (flavor, expected) => {
    expect((await runMetadata({ inputs: { tags: 'type=ref,event=branch', flavor } })).tags).toEqual(expected);
  });

  test.each([
    ['latets=true', 'input "flavor": line 1: "latets" is no attribute of flavor; did you mean "latest"?'],
    ['latest=yes', '"latest" is "yes"; it must be one of auto, true, false'],
    ['onlatest=true', '"onlatest" stands behind a prefix or suffix'],
  ])('%s is refused', async (flavor, message) => {
    await expect(runMetadata({ inputs: { flavor } })).rejects.toThrow(message);
  });
});

describe('rules that are refused', () => {
  test.each([
    [
      'type=smever,pattern=x',
      'line 1: "type" is "smever"; it must be one of schedule, semver, pep440, match, edge, ref, raw, sha; did you mean "semver"?',
    ],
    ['type=semver', 'type=semver needs "pattern"'],
    ['type=ref,event=brunch', '"event" is "brunch"; it must be one of branch, tag, pr; did you mean "branch"?'],
    ['type=sha,format=medium', '"format" is "medium"'],
    ['type=sha,priority=high', '"priority" is "high", which is no number'],
    ['type=raw,value=x,enable=yes', 'line 1: "enable" came out as "yes"'],
    ['a,b', 'both "a" and "b" are values; write each on a line of its own'],
    ['type=sha,oops', '"oops" is no attribute of type=sha'],
    ['type=match,pattern=v,group=x', '"group" is "x"'],
  ])('%s', async (tags, message) => {
    await expect(runMetadata({ inputs: { tags } })).rejects.toThrow(message);
  });
});

describe("the suite's own rules", () => {
  test.each<readonly [MetadataStep, readonly string[]]>([
    [{}, ['main', 'latest', 'sha-860c190']],
    [{ ref: 'refs/heads/feature/x' }, ['feature-x', 'sha-860c190']],
    [{ ref: 'refs/tags/v1.2.3' }, ['1.2.3', '1.2', '1', 'v1.2.3', 'sha-860c190', 'latest']],
    [{ ref: 'refs/tags/v0.3.1' }, ['0.3.1', '0.3', 'v0.3.1', 'sha-860c190', 'latest']],
    [{ ref: 'refs/tags/0.5rc1' }, ['0.5rc1', 'sha-860c190']],
    [{ ref: 'refs/tags/v1.2.3-rc.1' }, ['1.2.3-rc.1', 'v1.2.3-rc.1', 'sha-860c190']],
    [{ ref: 'refs/tags/2026.1' }, ['2026.1', '2026', 'sha-860c190', 'latest']],
    [{ ref: 'refs/tags/demo' }, ['demo', 'sha-860c190', 'latest']],
    [{ ref: 'refs/pull/7/merge', event: 'pull_request' }, ['pr-7', 'sha-860c190']],
    [{ ref: `refs/heads/gh-readonly-queue/main/pr-7-${SHA}`, event: 'merge_group' }, ['pr-7', 'sha-860c190']],
  ])('%o gives %j', async (step, expected) => {
    expect((await runMetadata(step)).tags).toEqual(expected);
  });

  test('a schedule gives the date too', async () => {
    const { tags } = await runMetadata({ event: 'schedule' });
    expect(tags[0]).toMatch(/^20\d{6}$/);
    expect(tags.slice(1)).toEqual(['main', 'latest', 'sha-860c190']);
  });

  test('they stand in the job summary as rules to type', async () => {
    const { summary } = await runMetadata({ ref: 'refs/tags/v1.2.3' });
    expect(summary).toContain('type=semver,pattern={{major}}\ntype=ref,event=branch');
  });
});
