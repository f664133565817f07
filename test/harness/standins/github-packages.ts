import { GithubRefusal } from './github-refusal.ts';
import { type Answer, jsonAnswer, type ReceivedRequest } from './listening-server.ts';

export interface PackageVersion {
  readonly id: number;
  /** `sha256:…` of the manifest or index. */
  readonly name: string;
  readonly tags: readonly string[];
  /** ISO 8601. */
  readonly createdAt?: string;
  /** More than 5,000 downloads of a public package: it cannot be deleted. */
  readonly isPopular?: boolean;
}

export interface PackageOwner {
  readonly login: string;
  readonly type: 'User' | 'Organization';
  /** Container packages by name, newest version first. */
  readonly packages: Record<string, readonly PackageVersion[]>;
}

const PACKAGE_PATH = /^\/(users|orgs)\/([^/]+)\/packages\/container\/([^/]+)(\/versions(?:\/(\d+))?)?$/;

/** Owners and their container packages; deleting changes the owner. */
export function packageAnswer(
  request: ReceivedRequest,
  owners: ReadonlyMap<string, PackageOwner>,
  path: string,
): Answer {
  const user = /^\/users\/([^/]+)$/.exec(path)?.[1];
  if (user !== undefined) return jsonAnswer(ownerBody(known(owners.get(user))));
  const [, kind, login = '', encodedName = '', versionsPath, id] = PACKAGE_PATH.exec(path) ?? [];
  const owner = known(owners.get(login));
  // An organization is no user and a user no organization: each has its own path, the other is not found.
  if ((kind === 'orgs') !== (owner.type === 'Organization')) throw new GithubRefusal(404, 'Not Found');
  const name = decodeURIComponent(encodedName);
  const versions = known(owner.packages[name]);
  if (versionsPath === undefined)
    return request.method === 'GET' ? jsonAnswer({ name, package_type: 'container' }) : notFound();
  if (id === undefined) return request.method === 'GET' ? pageAnswer(request, versions.map(versionBody)) : notFound();
  const version = known(versions.find((one) => one.id === Number(id)));
  if (request.method === 'GET') return jsonAnswer(versionBody(version));
  if (request.method !== 'DELETE') return notFound();
  refuseToDelete(version, versions);
  owner.packages[name] = versions.filter((one) => one !== version);
  return { status: 204 };
}

function refuseToDelete(version: PackageVersion, versions: readonly PackageVersion[]): void {
  if (version.isPopular === true) {
    throw new GithubRefusal(
      400,
      'Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.',
    );
  }
  if (version.tags.length > 0 && versions.filter(({ tags }) => tags.length > 0).length === 1) {
    throw new GithubRefusal(
      400,
      'You cannot delete the last tagged version of a package. You must delete the package instead.',
    );
  }
}

/** One page of a list, with the Link header that tells of the others (docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api). */
function pageAnswer({ url }: ReceivedRequest, items: readonly object[]): Answer {
  const size = Math.min(positive(url.searchParams.get('per_page'), 30), 100);
  const page = positive(url.searchParams.get('page'), 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (target: number, relation: string) => {
    const address = new URL(url);
    address.searchParams.set('page', String(target));
    return `<${address}>; rel="${relation}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, 'prev'), link(1, 'first')] : []),
    ...(page < last ? [link(page + 1, 'next'), link(last, 'last')] : []),
  ];
  const answer = jsonAnswer(items.slice((page - 1) * size, page * size));
  return links.length === 0 ? answer : { ...answer, headers: { ...answer.headers, link: links.join(', ') } };
}

function positive(text: string | null, otherwise: number): number {
  const number = Number(text);
  return Number.isInteger(number) && number > 0 ? number : otherwise;
}

function ownerBody({ login, type }: PackageOwner): object {
  return { login, type, html_url: `https://github.com/${login}` };
}

function versionBody({ id, name, tags, createdAt = '2026-01-02T03:04:05Z' }: PackageVersion): object {
  return {
    id,
    name,
    created_at: createdAt,
    updated_at: createdAt,
    metadata: { package_type: 'container', container: { tags } },
  };
}

function known<T>(value: T | undefined): T {
  return value ?? notFound();
}

function notFound(): never {
  throw new GithubRefusal(404, 'Not Found');
}
