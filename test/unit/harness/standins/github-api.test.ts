import { getOctokit } from '@actions/github';
import { describe, expect, test } from 'vitest';
import { startGithubApi } from '../../../harness/standins/github-api.ts';
import type { PackageVersion } from '../../../harness/standins/github-packages.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const repositories = [
  {
    fullName: 'o/r',
    description: 'A “shop”',
    license: 'MIT',
    topics: ['shop'],
    commits: [{ sha: SHA, date: '2026-05-06T07:08:09Z' }],
    branches: { main: SHA, 'feature/x': SHA },
    tags: { v2: SHA, v10: SHA, 'other/v1': SHA },
  },
  { fullName: 'o/hidden', isPrivate: true },
];

const versions = (count: number): PackageVersion[] =>
  Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    name: `sha256:${index}`,
    tags: index === 0 ? ['latest'] : [],
  }));

/** The digest of an attestation bundle's subject is in a statement in an envelope in the bundle. */
function bundleOf(sha256: string): Record<string, unknown> {
  const statement = JSON.stringify({ subject: [{ name: 'image', digest: { sha256 } }] });
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    dsseEnvelope: { payload: Buffer.from(statement).toString('base64') },
  };
}

describe('the GitHub API', () => {
  test.each(['url', 'enterpriseUrl'] as const)('serves the real octokit under its %s', async (base) => {
    await using api = await startGithubApi({ repositories });
    const { rest } = getOctokit('token', { baseUrl: api[base] });
    const repo = { owner: 'o', repo: 'r' };
    expect((await rest.repos.get(repo)).data).toMatchObject({
      full_name: 'o/r',
      description: 'A “shop”',
      default_branch: 'main',
      license: { spdx_id: 'MIT' },
      html_url: 'https://github.com/o/r',
    });
    const tags = (await rest.git.listMatchingRefs({ ...repo, ref: 'tags/v' })).data;
    expect(tags.map(({ ref, object }) => [ref, object.sha])).toEqual([
      ['refs/tags/v10', SHA],
      ['refs/tags/v2', SHA],
    ]);
  });

  test.each([SHA, SHA.slice(0, 7), 'main', 'feature/x', 'v2'])('finds the commit %s', async (ref) => {
    await using api = await startGithubApi({ repositories });
    const { data } = await getOctokit('token', { baseUrl: api.url }).rest.repos.getCommit({
      owner: 'o',
      repo: 'r',
      ref,
    });
    expect([data.sha, data.commit.committer?.date]).toEqual([SHA, '2026-05-06T07:08:09Z']);
  });

  test.each([
    { path: '/repos/o/none', status: 404 },
    { path: '/repos/o/hidden', status: 404 },
    { path: '/repos/o/r/nothing', status: 404 },
    { path: '/repos/o/r/commits/ffffffff', status: 422 },
    { path: '/nothing', status: 404 },
  ])('answers $path with $status', async ({ path, status }) => {
    await using api = await startGithubApi({ repositories });
    const answer = await fetch(api.url + path);
    expect(answer.status).toBe(status);
    expect(JSON.parse(await answer.text())).toMatchObject({ message: expect.any(String), status: String(status) });
    expect(answer.headers.get('x-ratelimit-remaining')).toBe('4999');
  });

  test.each([
    { authorization: undefined, requireToken: true, status: 401 },
    { authorization: undefined, requireToken: false, status: 200 },
    { authorization: 'Bearer known', requireToken: true, status: 200 },
    { authorization: 'token known', requireToken: true, status: 200 },
    { authorization: 'Bearer unknown', requireToken: false, status: 401 },
    { authorization: 'Basic eDp5', requireToken: false, status: 401 },
  ])(
    'with $authorization, a token required: $requireToken → $status',
    async ({ authorization, requireToken, status }) => {
      await using api = await startGithubApi({ repositories, requireToken, tokens: ['known'] });
      const headers = authorization === undefined ? {} : { authorization };
      expect((await fetch(`${api.url}/repos/o/r`, { headers: { ...headers } })).status).toBe(status);
    },
  );

  describe('packages', () => {
    const start = (list: readonly PackageVersion[]) =>
      startGithubApi({ packageOwners: [{ login: 'o', type: 'Organization', packages: { 'shop/api': list } }] });
    const shop = { org: 'o', package_type: 'container', package_name: 'shop/api' } as const;

    test('versions come in pages that the real octokit follows', async () => {
      await using api = await start(versions(250));
      const octokit = getOctokit('token', { baseUrl: api.url });
      const listed = await octokit.paginate(octokit.rest.packages.getAllPackageVersionsForPackageOwnedByOrg, {
        ...shop,
        per_page: 100,
      });
      expect(listed.map(({ id }) => id)).toEqual(versions(250).map(({ id }) => id));
      expect(listed[0]).toMatchObject({ name: 'sha256:0', metadata: { container: { tags: ['latest'] } } });
      expect(api.requests.length).toBe(3);
      const middle = await fetch(`${api.enterpriseUrl}/orgs/o/packages/container/shop%2Fapi/versions?page=2`);
      expect(middle.headers.get('link')).toContain(
        `<${api.enterpriseUrl}/orgs/o/packages/container/shop%2Fapi/versions?page=3>; rel="next"`,
      );
      expect(JSON.parse(await middle.text()).length).toBe(30);
    });

    test('a version is deleted once', async () => {
      await using api = await start(versions(3));
      const { rest } = getOctokit('token', { baseUrl: api.url });
      expect((await rest.packages.deletePackageVersionForOrg({ ...shop, package_version_id: 2 })).status).toBe(204);
      await expect(rest.packages.deletePackageVersionForOrg({ ...shop, package_version_id: 2 })).rejects.toMatchObject({
        status: 404,
      });
      expect(api.packageVersions('o', 'shop/api').map(({ id }) => id)).toEqual([1, 3]);
    });

    test('the last tagged version and a popular one stay', async () => {
      await using api = await start([...versions(2), { id: 9, name: 'sha256:9', tags: [], isPopular: true }]);
      const { rest } = getOctokit('token', { baseUrl: api.url });
      const remove = (id: number) => rest.packages.deletePackageVersionForOrg({ ...shop, package_version_id: id });
      await expect(remove(1)).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining('last tagged version'),
      });
      await expect(remove(9)).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining('5000 downloads'),
      });
    });

    test('an organization is no user', async () => {
      await using api = await start(versions(1));
      expect((await fetch(`${api.url}/users/o/packages/container/shop%2Fapi/versions`)).status).toBe(404);
      expect(JSON.parse(await (await fetch(`${api.url}/users/o`)).text()).type).toBe('Organization');
    });
  });

  test('attestations are stored and found by their subject’s digest', async () => {
    await using api = await startGithubApi({ repositories });
    const octokit = getOctokit('token', { baseUrl: api.url });
    const bundle = bundleOf('a'.repeat(64));
    const posted = await octokit.request('POST /repos/{owner}/{repo}/attestations', { owner: 'o', repo: 'r', bundle });
    expect(posted).toMatchObject({ status: 201, data: { id: 1 } });
    const empty = await fetch(`${api.url}/repos/o/r/attestations`, { method: 'POST', body: '{}' });
    expect(empty.status).toBe(422);
    expect(api.attestations).toEqual([{ id: 1, repository: 'o/r', bundle }]);
    const find = async (digest: string) =>
      JSON.parse(await (await fetch(`${api.url}/repos/o/r/attestations/sha256:${digest.repeat(64)}`)).text())
        .attestations;
    expect(await find('a')).toMatchObject([{ bundle }]);
    expect(await find('b')).toEqual([]);
  });

  test.each([
    { limit: { kind: 'primary', seconds: 60 }, status: 403, remaining: '0', retryAfter: null },
    { limit: { kind: 'primary', status: 429 }, status: 429, remaining: '0', retryAfter: null },
    { limit: { kind: 'secondary', seconds: 7 }, status: 403, remaining: '4000', retryAfter: '7' },
  ] as const)('limits the rate: $limit', async ({ limit, status, remaining, retryAfter }) => {
    await using api = await startGithubApi({ repositories });
    api.rateLimit({ ...limit, times: 2, match: /\/repos\/o\/r$/ });
    expect((await fetch(`${api.url}/repos/o/none`)).status).toBe(404);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { headers, ...answer } = await fetch(`${api.url}/repos/o/r`).then(({ status: code, headers: all }) => ({
        status: code,
        headers: all,
      }));
      expect([answer.status, headers.get('x-ratelimit-remaining'), headers.get('retry-after')]).toEqual([
        status,
        remaining,
        retryAfter,
      ]);
      if (limit.kind === 'primary') expect(Number(headers.get('x-ratelimit-reset')) * 1000).toBeGreaterThan(Date.now());
    }
    expect((await fetch(`${api.url}/repos/o/r`)).status).toBe(200);
  });

  test('fails on demand', async () => {
    await using api = await startGithubApi({ repositories });
    api.fail({ status: 502 });
    expect((await fetch(`${api.url}/repos/o/r`)).status).toBe(502);
    expect((await fetch(`${api.url}/repos/o/r`)).status).toBe(200);
  });
});
