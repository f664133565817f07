import type { Digests } from '../digest-plan.ts';
import type { ModelFinding } from '../model-finding.ts';
import type { SignedResource, SignedStatement } from './statement.ts';

/** A file of the signed folder, hashed in the way the statement says. */
export interface HashedFile {
  /** Relative to the signed folder, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly isLink: boolean;
  /** False for a link that leads to no file. */
  readonly isFile: boolean;
  readonly digests: Digests;
}

export interface SignedFinding {
  /** Relative to the signed folder. */
  readonly path: string;
  readonly finding: ModelFinding;
}

/** What signers leave out by themselves, at the top of the folder alone. */
const ALWAYS_IGNORED: ReadonlySet<string> = new Set(['.git', '.gitignore', '.gitattributes', '.github']);

/** True for a path that the signature does not speak of. `signature` is the signature file's own path in the folder. */
export function isIgnored(path: string, signature: string, ignored: readonly string[]): boolean {
  const [top = ''] = path.split('/');
  if (path === signature || ALWAYS_IGNORED.has(top)) return true;
  return ignored.some((each) => path === each || path.startsWith(`${each}/`));
}

/**
 * Holds the files of a folder against a statement: each signed file must be there with its digest, and each file that is
 * there must be signed. Pure.
 */
export function compareSigned(statement: SignedStatement, files: readonly HashedFile[]): readonly SignedFinding[] {
  const signed = Map.groupBy(statement.resources, ({ path }) => path);
  const findings: SignedFinding[] = [];
  const add = (path: string, message: string): void => {
    findings.push({ path, finding: { severity: 'mismatch', rule: 'signature', message } });
  };
  for (const file of files) {
    const resources = signed.get(file.path);
    signed.delete(file.path);
    if (resources === undefined) {
      if (!isLeftOutOfShards(file, statement)) add(file.path, 'it stands in the signed folder, but is not signed');
    } else if (!file.isFile) add(file.path, 'it is signed, but leads to no file');
    else if (file.isLink && !statement.allowsLinks)
      add(file.path, 'it is a symbolic link, which the signature does not allow');
    else {
      const why =
        statement.shardSize === undefined
          ? compareFile(file, resources, statement)
          : compareShards(file, resources, statement.shardSize);
      if (why !== undefined) add(file.path, why);
    }
  }
  for (const path of signed.keys()) add(path, 'it is signed, but is not there');
  return findings;
}

/**
 * A file without a byte has no shards, and so no place in the list (OpenSSF Model Signing 1.0, section 6.3.2). A link is
 * never one: it may not have been read.
 */
function isLeftOutOfShards({ size, isFile, isLink }: HashedFile, { shardSize }: SignedStatement): boolean {
  return shardSize !== undefined && isFile && !isLink && size === 0;
}

function compareFile(
  file: HashedFile,
  resources: readonly SignedResource[],
  { algorithm }: SignedStatement,
): string | undefined {
  const actual = file.digests.whole.get(algorithm);
  const [resource] = resources;
  return resource?.digest === actual
    ? undefined
    : `its ${algorithm} is ${actual ?? 'unknown'}, but ${resource?.digest} is signed`;
}

/** Shards must cover the file from its first byte to its last, each of the size the signature states. */
function compareShards(file: HashedFile, resources: readonly SignedResource[], size: number): string | undefined {
  const sorted = [...resources].sort((a, b) => (a.range?.start ?? 0) - (b.range?.start ?? 0));
  const count = Math.max(file.size === 0 ? 0 : 1, Math.ceil(file.size / size));
  if (file.size > 0 && sorted.length !== count) return `${sorted.length} shards of it are signed, but it has ${count}`;
  for (const [index, { range, digest }] of sorted.entries()) {
    const end = Math.min((index + 1) * size, file.size);
    if (range?.start !== index * size || range.end !== end) return 'the signed shards leave out a part of it';
    const actual = file.digests.shards[index];
    if (file.size > 0 && actual?.digest !== digest)
      return `its bytes from ${range.start} to ${range.end} are not those signed`;
  }
  return undefined;
}
