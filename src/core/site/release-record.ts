import { ConfigurationError } from '../runner/errors.ts';
import { isRecord } from '../runner/event.ts';
import { FILE_KINDS, type FileKind } from './file-kind.ts';
import { isObjectHeader } from './header-rules.ts';
import { encodeLines } from './json-lines.ts';
import { arrayOf, formatPlace, isSize, isText, type Release, readPlace } from './release-manifest.ts';
import type { PackPlace } from './site-file.ts';
import { OWN_FOLDER } from './source-checks.ts';

/** What a release consists of: enough to bring it back without its source. */
export interface ReleaseRecord {
  readonly release: Release;
  readonly files: readonly RecordedFile[];
}

export interface RecordedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly kind: FileKind;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for names with a fingerprint, and for files too large to be kept. */
  readonly kept: PackPlace | undefined;
}

/** 150 bytes a file: some 400,000 files. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;
const VERSION = 1;

export const RECORDS = `${OWN_FOLDER}/releases/`;
export const PACKS = `${OWN_FOLDER}/packs/`;

export function recordKey(prefix: string, release: string): string {
  return `${prefix}${RECORDS}${release}.json`;
}

export function packKey(prefix: string, pack: string): string {
  return `${prefix}${PACKS}${pack}`;
}

/** Headers repeat from file to file: they stand once, and files name them by number. */
export function formatRecord({ release, files }: ReleaseRecord): Buffer {
  const numbers = new Map<string, number>();
  for (const { headers } of files) {
    const text = JSON.stringify(headers);
    numbers.set(text, numbers.get(text) ?? numbers.size);
  }
  const head = JSON.stringify({ slipway: VERSION, release }, undefined, 2).slice(0, -2);
  const headers = [...numbers.keys()].map((text) => `    ${text}`).join(',\n');
  return encodeLines(`${head},\n  "headers": [\n${headers}\n  ],\n  "files": [\n`, fileLines(files, numbers), END);
}

const END = '\n  ]\n}\n';

function* fileLines(files: readonly RecordedFile[], numbers: ReadonlyMap<string, number>): Generator<string> {
  for (const { path, size, sha256, kind, headers, kept } of files) {
    yield JSON.stringify([path, size, sha256, kind, numbers.get(JSON.stringify(headers)), ...formatPlace(kept)]);
  }
}

/** Reads a record. The bucket is not trusted more than any other input: throws ConfigurationError for what is none. */
export function parseRecord(source: string, key: string): ReleaseRecord {
  const broken = (cause?: unknown): never => {
    throw new ConfigurationError(`${key} is no record of a release; the release cannot be brought back`, { cause });
  };
  let document: unknown;
  try {
    document = JSON.parse(source);
  } catch (error) {
    return broken(error);
  }
  if (!isRecord(document) || document['slipway'] !== VERSION || !isRecord(document['release'])) return broken();
  const { id, commit, time } = document['release'];
  const headers = arrayOf(document['headers'], readHeaders);
  const files = headers && arrayOf(document['files'], (entry) => readFile(entry, headers));
  const isNamed = isText(id) && /^[\w-]{1,100}$/.test(id);
  if (!isNamed || !isText(commit) || !isText(time) || files === undefined) return broken();
  return { release: { id, commit, time }, files };
}

function readHeaders(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value).flatMap(([name, text]) =>
    isText(text) && isObjectHeader(name) && /^[\t\u0020-\u007E]*$/.test(text) ? [[name, text] as const] : [],
  );
  return entries.length === Object.keys(value).length ? Object.fromEntries(entries) : undefined;
}

function readFile(value: unknown, headers: readonly Readonly<Record<string, string>>[]): RecordedFile | undefined {
  if (!Array.isArray(value)) return undefined;
  const [path, size, sha256, kindName, number, pack, offset]: readonly unknown[] = value;
  const kind = FILE_KINDS.find((name) => name === kindName);
  const own = isSize(number) ? headers[number] : undefined;
  const isWhole = isText(path) && isSize(size) && isText(sha256) && /^[0-9a-f]{64}$/.test(sha256);
  if (!isWhole || kind === undefined || own === undefined || leavesTheSite(path)) return undefined;
  return { path, size, sha256, kind, headers: own, kept: readPlace(pack, offset) };
}

function leavesTheSite(path: string): boolean {
  return path.startsWith(`${OWN_FOLDER}/`) || path.split('/').some((segment) => segment === '.' || segment === '..');
}
