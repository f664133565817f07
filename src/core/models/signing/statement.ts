import { createHash } from 'node:crypto';
import { ConfigurationError } from '../../runner/errors.ts';
import { isRecord } from '../../runner/event.ts';
import type { DigestAlgorithm } from '../digest-plan.ts';
import { whyNoPath } from '../manifest/expected-file.ts';
import { OLD_PREDICATE, readSubjects } from './version-0-2.ts';

/** What a signature states: the digest of every file, or of every shard of every file. */
export interface SignedStatement {
  readonly resources: readonly SignedResource[];
  readonly algorithm: DigestAlgorithm;
  /** Bytes of a shard; undefined where whole files are signed. */
  readonly shardSize: number | undefined;
  readonly allowsLinks: boolean;
  /** Paths below the signed folder that the signer left out. */
  readonly ignored: readonly string[];
}

export interface SignedResource {
  readonly path: string;
  /** The bytes that the digest is of; undefined for a whole file. */
  readonly range: { readonly start: number; readonly end: number } | undefined;
  readonly digest: string;
}

const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://model_signing/signature/v1.0';
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['blake2b', 128],
]);
const MAX_RESOURCES = 1_000_000;
const DEFAULT_SHARD = 1_000_000_000;

/**
 * Reads the in-toto statement of a verified signature. What it says must fit together: one subject, whose SHA-256 is that
 * of all digests one behind the other; resources sorted, each once, inside of the folder; one algorithm throughout.
 * Statements of version 0.2 are read too. Throws ConfigurationError. Source: OpenSSF Model Signing 1.0, sections 5 and 8.
 */
export function parseStatement(payload: Buffer, file: string): SignedStatement {
  const refuse = (why: string): never => {
    throw new ConfigurationError(`what "${file}" signs is not to be used: ${why}`, { file });
  };
  const statement = record(parseJson(payload, refuse), 'it is no object', refuse);
  if (statement['_type'] !== STATEMENT)
    refuse(`it is of the type ${shown(statement['_type'])}, and ${STATEMENT} is read`);
  if (statement['predicateType'] === OLD_PREDICATE) return oldStatement(statement['subject'], refuse);
  if (statement['predicateType'] !== PREDICATE)
    refuse(`it states ${shown(statement['predicateType'])}, and ${PREDICATE} is read`);
  const predicate = record(statement['predicate'], 'it has no predicate', refuse);
  const serialization = record(predicate['serialization'], 'it does not say how files were hashed', refuse);
  const { method, hash_type: hashType } = serialization as { method?: unknown; hash_type?: unknown };
  if (method !== 'files' && method !== 'shards') refuse(`files were hashed by the method ${shown(method)}`);
  const digits = typeof hashType === 'string' ? HEX_DIGITS.get(hashType) : undefined;
  if (digits === undefined) refuse(`its digests are ${shown(hashType)}; sha256 and blake2b are read`);
  const shardSize = method === 'shards' ? shardSizeOf(serialization['shard_size'], refuse) : undefined;
  const resources = readResources(predicate['resources'], String(hashType), digits ?? 0, shardSize, refuse);
  checkSubject(statement['subject'], resources, refuse);
  return {
    resources,
    algorithm: hashType === 'blake2b' ? 'blake2b' : 'sha256',
    shardSize,
    allowsLinks: serialization['allow_symlinks'] === true,
    ignored: ignoredOf(serialization['ignore_paths'], refuse),
  };
}

type Refuse = (why: string) => never;

/** What version 0.2 stated: whole files by SHA-256, no links, and nothing left out. */
function oldStatement(subjects: unknown, refuse: Refuse): SignedStatement {
  const listed = readSubjects(subjects, refuse);
  const entries = listed.map(({ name, digest }) => ({ name, digest, algorithm: 'sha256' }));
  const sorted = entries.sort((one, other) => compareCodePoints(one.name, other.name));
  const resources = readResources(sorted, 'sha256', 64, undefined, refuse);
  return { resources, algorithm: 'sha256', shardSize: undefined, allowsLinks: false, ignored: [] };
}

function readResources(
  value: unknown,
  algorithm: string,
  digits: number,
  shardSize: number | undefined,
  refuse: Refuse,
): readonly SignedResource[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_RESOURCES) return refuse('it lists no files');
  const names = new Set<string>();
  let before = '';
  return value.map((each: unknown) => {
    const {
      name,
      digest,
      algorithm: own,
    } = record(each, 'a file of it is no object', refuse) as Record<string, unknown>;
    if (typeof name !== 'string' || names.has(name))
      return refuse(`the file ${shown(name)} is there twice or has no name`);
    if (own !== algorithm) refuse(`the digest of ${shown(name)} is ${shown(own)}, not ${algorithm}`);
    if (typeof digest !== 'string' || digest.length !== digits || !/^[0-9a-f]+$/.test(digest))
      return refuse(`the digest of ${shown(name)} is none`);
    // A list that is not sorted gives another root digest to who sorts it: two readings of one signature.
    if (shardSize === undefined && names.size > 0 && compareCodePoints(before, name) >= 0)
      refuse('its files are not sorted');
    names.add(name);
    before = name;
    const resource = { ...readName(name, shardSize, refuse), digest };
    const why = resource.path === '.' ? undefined : whyNoPath(resource.path);
    return why === undefined ? resource : refuse(`${shown(name)} ${why}`);
  });
}

/** `path:start:end` for a shard; a path may hold colons of its own. */
function readName(name: string, shardSize: number | undefined, refuse: Refuse): Omit<SignedResource, 'digest'> {
  if (shardSize === undefined) return { path: name, range: undefined };
  const [, path, start, end] = /^(.+):(\d{1,15}):(\d{1,15})$/s.exec(name) ?? [];
  if (path === undefined || Number(start) > Number(end)) return refuse(`${shown(name)} is the name of no shard`);
  return { path, range: { start: Number(start), end: Number(end) } };
}

function checkSubject(value: unknown, resources: readonly SignedResource[], refuse: Refuse): void {
  const [subject, ...others] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (subject === undefined || others.length > 0) refuse('it must have one subject');
  const digest = record(record(subject, 'its subject is none', refuse)['digest'], 'its subject has no digest', refuse);
  const root = createHash('sha256');
  for (const resource of resources) root.update(Buffer.from(resource.digest, 'hex'));
  if (digest['sha256'] !== root.digest('hex')) refuse("its subject's digest is not that of its files");
}

function ignoredOf(value: unknown, refuse: Refuse): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > 10_000 || !value.every((each) => typeof each === 'string'))
    return refuse('the paths it leaves out are no list of texts');
  return value.filter((each: unknown) => typeof each === 'string').map((path) => path.replace(/\/+$/, ''));
}

function shardSizeOf(value: unknown, refuse: Refuse): number {
  const size = value ?? DEFAULT_SHARD;
  return typeof size === 'number' && Number.isSafeInteger(size) && size >= 1 ? size : refuse('its shards have no size');
}

/** The order of Python's `sorted`: by code points, where JavaScript's `<` goes by UTF-16 units. */
function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

function record(value: unknown, why: string, refuse: Refuse): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : refuse(why);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 120);
}

function parseJson(payload: Buffer, refuse: Refuse): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) return refuse('it is no JSON');
    throw cause;
  }
}
