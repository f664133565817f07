import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readJobClaims } from '../../../../src/core/attest/provenance.ts';
import { signStatement } from '../../../../src/core/attest/sign-statement.ts';
import { type OidcIssuer, startOidcIssuer } from '../../../harness/standins/oidc-issuer.ts';
import { type Sigstore, startSigstore } from '../../../harness/standins/sigstore.ts';
import { keptLog } from '../../core/registry/kept-log.ts';
import { BOTH, FILES, MODEL, README, resource, statement } from './model-signature.ts';
import { createWorkspace } from './verify-step.ts';

const IDENTITY = 'https://github.com/octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main';

interface Entry {
  readonly integratedTime: string;
  readonly canonicalizedBody: string;
  readonly inclusionPromise: { readonly signedEntryTimestamp: string };
  readonly inclusionProof: { readonly checkpoint: { readonly envelope: string } };
}

interface Material {
  readonly certificate: object;
  readonly tlogEntries: readonly Entry[];
  readonly timestampVerificationData?: object | undefined;
}

/** The parts of a bundle that the tests change. */
interface Bundle {
  readonly verificationMaterial: Material;
  readonly dsseEnvelope: { readonly payload: string; readonly signatures: readonly object[] };
}

/** Changes the entries of a bundle. */
const withEntry =
  (change: (entry: Entry) => Entry) =>
  ({ tlogEntries }: Material): Partial<Material> => ({ tlogEntries: tlogEntries.map(change) });

/** The same bytes in base64, but for the last bit. */
function flip(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return bytes.toString('base64');
}

let issuer: OidcIssuer;
let sigstore: Sigstore;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  issuer = stack.use(await startOidcIssuer());
  sigstore = stack.use(await startSigstore({ issuer: issuer.issuer }));
});
afterAll(() => stack.disposeAsync());

/** Signs with the identity of a workflow: a certificate of Fulcio, an entry of Rekor, and where asked a time stamp. */
async function signModel(content: object = statement(BOTH), at: Sigstore = sigstore, tsa = false): Promise<Bundle> {
  const token = issuer.mintToken({ audience: 'sigstore' });
  const bundle = await signStatement({
    statement: content,
    instance: { fulcio: at.url, rekor: at.url, tsa: tsa ? at.url : undefined },
    token,
    claims: readJobClaims(token),
    log: keptLog(),
  });
  return JSON.parse(JSON.stringify(bundle));
}

interface Given {
  readonly bundle: Bundle;
  readonly identity?: string;
  readonly issuer?: string;
  readonly trustedRoot?: string;
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

async function verify({ bundle, identity = IDENTITY, issuer: by = issuer.issuer, trustedRoot, files = {} }: Given) {
  using step = createWorkspace({
    ...FILES,
    'm/model.sig': JSON.stringify(bundle),
    'trusted_root.json': trustedRoot ?? JSON.stringify(sigstore.trustedRoot),
    ...files,
  });
  return await step.verify({
    models: 'm/a.safetensors',
    signature: 'm/model.sig',
    identity,
    issuer: by,
    'trusted-root': 'trusted_root.json',
    require: 'signature',
  });
}

describe('a signature by an identity', () => {
  test.each([
    ['its entry in the log', false],
    ['its entry in the log and a time stamp', true],
  ])('is verified without a network, by %s', async (_, tsa) => {
    const { failure, outputs, summary } = await verify({ bundle: await signModel(statement(BOTH), sigstore, tsa) });
    expect(failure).toBeUndefined();
    expect(outputs).toMatchObject({ verified: 1 });
    expect(summary).toContain('is verified');
  });

  test('is verified as one of many entries of the log', async () => {
    for (let count = 0; count < 3; count += 1)
      expect((await verify({ bundle: await signModel() })).failure).toBeUndefined();
  });

  test.each([
    [
      'another identity',
      { identity: 'https://github.com/octo-org/other/.github/workflows/release.yml@refs/heads/main' },
    ],
    ['the start of an identity', { identity: IDENTITY.slice(0, -1) }],
    ['an identity as a pattern', { identity: '.*' }],
    ['an identity in other letters', { identity: IDENTITY.toUpperCase() }],
  ])('is refused for %s', async (_, given) => {
    await expect(verify({ bundle: await signModel(), ...given })).rejects.toThrow(
      `is by the identity "${IDENTITY}", not`,
    );
  });

  test('is refused for another issuer', async () => {
    const other = { bundle: await signModel(), issuer: 'https://token.actions.githubusercontent.com' };
    await expect(verify(other)).rejects.toThrow(/is by the issuer "http:\/\/localhost:\d+", not "https:\/\/token/);
  });

  test('is refused under the public Sigstore and under another instance', async () => {
    await using other = await startSigstore({ issuer: issuer.issuer });
    const bundle = await signModel();
    await expect(verify({ bundle, trustedRoot: JSON.stringify(other.trustedRoot) })).rejects.toThrow('is not verified');
    using step = createWorkspace({ ...FILES, 'm/model.sig': JSON.stringify(bundle) });
    await expect(
      step.verify({ models: 'm/*.safetensors', signature: 'm/model.sig', identity: IDENTITY, issuer: issuer.issuer }),
    ).rejects.toThrow('is not verified');
  });

  test('is refused when its certificate had expired before it was logged', async () => {
    await using late = await startSigstore({ issuer: issuer.issuer, lifetime: -30_000 });
    const trustedRoot = JSON.stringify(late.trustedRoot);
    await expect(verify({ bundle: await signModel(statement(BOTH), late), trustedRoot })).rejects.toThrow(
      'is not verified',
    );
  });

  test.each<[string, (material: Material, others: Material) => Partial<Material>]>([
    ['no entry in the log, and with it no time', () => ({ tlogEntries: [] })],
    ['a time stamp alone', ({ timestampVerificationData }) => ({ tlogEntries: [], timestampVerificationData })],
    ['another time of its entry', withEntry((entry) => ({ ...entry, integratedTime: '1700000000' }))],
    ['another entry', withEntry((entry) => ({ ...entry, canonicalizedBody: flip(entry.canonicalizedBody) }))],
    [
      'another promise of the log',
      withEntry((entry) => ({
        ...entry,
        inclusionPromise: { signedEntryTimestamp: flip(entry.inclusionPromise.signedEntryTimestamp) },
      })),
    ],
    [
      'another checkpoint of the log',
      withEntry((entry) => ({
        ...entry,
        inclusionProof: {
          ...entry.inclusionProof,
          checkpoint: { envelope: entry.inclusionProof.checkpoint.envelope.replace(/\n\d+\n/, '\n99\n') },
        },
      })),
    ],
    ['the entry of another signature', (_, { tlogEntries }) => ({ tlogEntries })],
    ['the certificate of another signature', (_, { certificate }) => ({ certificate })],
    ['the time stamp of another signature', (_, { timestampVerificationData }) => ({ timestampVerificationData })],
  ])('is refused with %s', async (_, change) => {
    const bundle = await signModel(statement(BOTH), sigstore, true);
    const other = await signModel(statement([resource('other', README)]), sigstore, true);
    const material = bundle.verificationMaterial;
    const changed = { ...material, ...change(material, other.verificationMaterial) };
    await expect(verify({ bundle: { ...bundle, verificationMaterial: changed } })).rejects.toThrow('is not verified');
  });

  test.each(['payload', 'signatures'] as const)('is refused with the %s of another signature', async (part) => {
    const bundle = await signModel();
    const other = await signModel(statement([resource('other', README)]));
    const dsseEnvelope = { ...bundle.dsseEnvelope, [part]: other.dsseEnvelope[part] };
    await expect(verify({ bundle: { ...bundle, dsseEnvelope } })).rejects.toThrow('is not verified');
  });

  test('is refused where the certificate log is not trusted', async () => {
    const trustedRoot = JSON.stringify({ ...sigstore.trustedRoot, ctlogs: [] });
    await expect(verify({ bundle: await signModel(), trustedRoot })).rejects.toThrow('is not verified');
  });

  test.each([
    ['no JSON', 'x', /this is no JSON/],
    ['a list', '[]', /this is no trusted_root\.json/],
    ['something else', '{"tlogs":[[]]}', /this is no trusted_root\.json/],
  ])('needs a trusted root: %s is none', async (_, trustedRoot, error) => {
    await expect(verify({ bundle: await signModel(), trustedRoot })).rejects.toThrow(error);
  });

  test.each<[string, object, Readonly<Record<string, string | Buffer>>, RegExp]>([
    ['a file besides the models that changed', statement(BOTH), { 'm/README.md': 'x' }, /README\.md": its sha256 is/],
    ['an added file', statement(BOTH), { 'm/x.py': 'x' }, /x\.py": it stands in the signed folder, but is not signed/],
    ['a missing file', statement([...BOTH, resource('z', README)]), {}, /"z": it is signed, but is not there/],
    ['another predicate', statement(BOTH, {}, { predicateType: 'https://slsa.dev/provenance/v1' }), {}, /it states/],
    ['an unknown hash', statement(BOTH, { hash_type: 'md4' }), {}, /its digests are "md4"/],
    ['a path out of the folder', statement([resource('../a', MODEL)]), {}, /outside of its folder/],
    ['an absolute path', statement([resource('/a', MODEL)]), {}, /outside of its folder/],
    ['a file twice', statement([...BOTH, resource('a.safetensors', MODEL)]), {}, /there twice/],
  ])('does not cover %s', async (_, content, files, error) => {
    await expect(verify({ bundle: await signModel(content), files })).rejects.toThrow(error);
  });

  test('does not cover a model that changed', async () => {
    const { failure, outputs } = await verify({ bundle: await signModel(), files: { 'm/a.safetensors': README } });
    expect(failure).toBe('1 of 1 models failed verification');
    expect(outputs.manifest).toMatchObject([
      { findings: expect.arrayContaining([expect.objectContaining({ rule: 'signature' })]) },
    ]);
  });

  test('may be of shards', async () => {
    const resources = [
      resource('README.md:0:10', README),
      resource('a.safetensors:0:50', MODEL.subarray(0, 50)),
      resource(`a.safetensors:50:${MODEL.length}`, MODEL.subarray(50)),
    ];
    const bundle = await signModel(statement(resources, { method: 'shards', shard_size: 50 }));
    expect((await verify({ bundle })).failure).toBeUndefined();
  });

  test('is not taken for one by a key or by a chain of certificates', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    using step = createWorkspace({
      ...FILES,
      'm/model.sig': JSON.stringify(await signModel()),
      'key.pem': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      'trusted_root.json': JSON.stringify(sigstore.trustedRoot),
    });
    const given = { models: 'm/a.safetensors', signature: 'm/model.sig' };
    await expect(step.verify({ ...given, 'public-key': 'key.pem' })).rejects.toThrow('by a certificate, not by a key');
    await expect(step.verify({ ...given, 'trusted-root': 'trusted_root.json' })).rejects.toThrow(
      'was signed by an identity: give "identity" and "issuer"',
    );
  });
});
