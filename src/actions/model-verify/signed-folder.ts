import { lstatSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { isIgnored } from '../../core/models/signing/compare-signed.ts';
import { parseEnvelope, type SignedEnvelope } from '../../core/models/signing/envelope.ts';
import { findSigned, listSigned, type SignedFile } from '../../core/models/signing/list-signed.ts';
import { parseStatement, type SignedStatement } from '../../core/models/signing/statement.ts';
import { verifyWithCertificate } from '../../core/models/signing/verify-certificate.ts';
import { verifyWithIdentity } from '../../core/models/signing/verify-identity.ts';
import { verifyWithKey } from '../../core/models/signing/verify-key.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { contract } from './contract.ts';

type Inputs = InputsOf<typeof contract>;

const MAX_SIGNATURE = 64 * 1024 * 1024;

/** A folder whose signature was verified: what it states, and which files are there to be held against it. */
export interface SignedFolder {
  readonly signature: string;
  readonly statement: SignedStatement;
  readonly files: readonly SignedFile[];
}

/**
 * Verifies the signature and lists what stands in its folder; undefined without the input. `root` is where the models
 * are: the workspace, or the folder that was taken out of an image. Throws ConfigurationError.
 */
export async function openSignedFolder(
  inputs: Inputs,
  workspace: string,
  root: string,
  models: readonly string[],
): Promise<SignedFolder | undefined> {
  const { signature } = inputs;
  if (signature === undefined) {
    refuseStray(inputs);
    return undefined;
  }
  const envelope = parseEnvelope(readInput(workspace, 'signature', signature), signature);
  await verifyEnvelope(envelope, inputs, workspace, signature);
  const statement = parseStatement(envelope.payload, signature);
  const isImage = root !== workspace;
  const place = inputs.signed ?? (isImage ? '.' : posix.dirname(signature));
  if (findSigned(root, place) === 'file') return singleFile(signature, statement, [posix.normalize(place)]);
  if (statement.resources.every(({ path }) => path === '.')) return singleFile(signature, statement, models);
  const own = isImage ? copyOf(signature, workspace, join(root, place)) : posix.relative(place, signature);
  return { signature, statement, files: listSigned(root, place, (path) => isIgnored(path, own, statement.ignored)) };
}

/** The signature in a folder out of an image: by its name, where it is byte by byte the one that was verified. */
function copyOf(signature: string, workspace: string, folder: string): string {
  const name = posix.basename(signature);
  const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
  const verified = readFileSync(join(workspace, signature));
  const isCopy = stats?.isFile() === true && stats.size === verified.length;
  return isCopy && readFileSync(join(folder, name)).equals(verified) ? name : '';
}

async function verifyEnvelope(
  envelope: SignedEnvelope,
  inputs: Inputs,
  workspace: string,
  signature: string,
): Promise<void> {
  const { publicKey, identity, issuer, trustedRoot } = inputs;
  const root = trustedRoot === undefined ? undefined : readInput(workspace, 'trusted-root', trustedRoot);
  if (publicKey !== undefined) {
    if (identity !== undefined || issuer !== undefined)
      throw new ConfigurationError('"public-key" and "identity" are two ways to sign: give one of them');
    if (root !== undefined)
      throw new ConfigurationError('"public-key" and "trusted-root" are two things to trust: give one of them');
    return verifyWithKey(envelope, readInput(workspace, 'public-key', publicKey), signature);
  }
  if (identity !== undefined && issuer !== undefined) {
    if (envelope.method === 'key')
      throw new ConfigurationError(`"${signature}" was signed with a key: give "public-key"`);
    return verifyWithIdentity(envelope, { identity, issuer }, root, signature);
  }
  if (identity !== undefined || issuer !== undefined)
    throw new ConfigurationError('"identity" and "issuer" go together: anybody may vouch for any identity');
  if (root !== undefined && envelope.method === 'certificate') return verifyWithCertificate(envelope, root, signature);
  if (root !== undefined && envelope.method === 'sigstore')
    throw new ConfigurationError(`"${signature}" was signed by an identity: give "identity" and "issuer"`);
  throw new ConfigurationError(
    'input "signature" needs to know who must have signed: give "public-key", "identity" with "issuer", or "trusted-root" with certificates',
  );
}

/** Inputs that say who must have signed do nothing without a signature: a misspelt name must not pass for a check. */
function refuseStray({ publicKey, identity, issuer, trustedRoot, signed }: Inputs): void {
  const strays = Object.entries({ 'public-key': publicKey, identity, issuer, 'trusted-root': trustedRoot, signed });
  const [stray] = strays.find(([, value]) => value !== undefined) ?? [];
  if (stray !== undefined)
    throw new ConfigurationError(`input "${stray}" is given, but no "signature" to hold it against`);
}

/** A signature of one file alone calls it `.`, or by its name. */
function singleFile(signature: string, statement: SignedStatement, models: readonly string[]): SignedFolder {
  const [only, ...others] = models;
  if (only === undefined || others.length > 0)
    throw new ConfigurationError(
      `"${signature}" signs one file without naming it, but ${models.length} models are selected; name it in "signed"`,
    );
  const path = statement.resources.every((each) => each.path === '.') ? '.' : posix.basename(only);
  return { signature, statement, files: [{ path, rootPath: only, isLink: false, isFile: true }] };
}

function readInput(workspace: string, input: string, path: string): string {
  const file = join(workspace, path);
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) throw new ConfigurationError(`input "${input}": there is no file "${path}"`);
  if (stats.size > MAX_SIGNATURE) throw new ConfigurationError(`input "${input}": "${path}" is larger than is read`);
  return readFileSync(file, 'utf8');
}
