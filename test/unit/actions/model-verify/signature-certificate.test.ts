import { KeyObject, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { BOTH, FILES, sign, statement } from './model-signature.ts';
import { createWorkspace } from './verify-step.ts';

const DAY = 86_400_000;
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const SERVER = '1.3.6.1.5.5.7.3.1';

interface Party {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificate: X509Certificate;
}

interface Certified {
  readonly curve?: 'P-256' | 'P-384' | 'P-521';
  readonly isAuthority?: boolean;
  readonly usages?: readonly string[];
  readonly signs?: boolean;
  /** How many authorities may stand below it. */
  readonly below?: number;
  /** Days from now. */
  readonly from?: number;
  readonly to?: number;
}

/** A certificate by an issuer, or by itself. */
async function certify(name: string, issuer: Party | undefined, options: Certified = {}): Promise<Party> {
  const { curve = 'P-256', isAuthority = false, usages = [], signs = true, from = -1, to = 30, below } = options;
  const algorithm = { name: 'ECDSA', namedCurve: curve, hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const flags =
    (isAuthority ? KeyUsageFlags.keyCertSign : 0) |
    (signs ? KeyUsageFlags.digitalSignature : KeyUsageFlags.keyAgreement);
  const extensions: Extension[] = [
    new BasicConstraintsExtension(isAuthority, below, true),
    new KeyUsagesExtension(flags, true),
  ];
  if (usages.length > 0) extensions.push(new ExtendedKeyUsageExtension([...usages]));
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: `CN=${issuer?.name ?? name}`,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    notBefore: new Date(Date.now() + from * DAY),
    notAfter: new Date(Date.now() + to * DAY),
    extensions,
  });
  return { name, keys, certificate };
}

function bundle(signer: Party, chain: readonly Party[], hash = 'sha256', content = statement(BOTH)): string {
  const certificates = [signer, ...chain].map(({ certificate }) => ({
    rawBytes: Buffer.from(certificate.rawData).toString('base64'),
  }));
  return sign(content, KeyObject.from(signer.keys.privateKey), hash, { x509CertificateChain: { certificates } });
}

async function verify(signature: string, roots: readonly Party[], more: Readonly<Record<string, string>> = {}) {
  using step = createWorkspace({
    ...FILES,
    'm/model.sig': signature,
    'root.pem': roots.map(({ certificate }) => certificate.toString('pem')).join('\n'),
  });
  return await step.verify({
    models: 'm/a.safetensors',
    signature: 'm/model.sig',
    'trusted-root': 'root.pem',
    require: 'signature',
    ...more,
  });
}

const root = await certify('root', undefined, { isAuthority: true });
const between = await certify('between', root, { isAuthority: true });
const stranger = await certify('root', undefined, { isAuthority: true });

describe('a signature by a chain of certificates', () => {
  test.each([
    ['P-256', 'sha256'],
    ['P-384', 'sha384'],
    ['P-521', 'sha512'],
  ] as const)('leads through an intermediate to its root, with a key of %s', async (curve, hash) => {
    const signer = await certify('signer', between, { curve, usages: [CODE_SIGNING] });
    const { failure, summary } = await verify(bundle(signer, [between], hash), [stranger, root]);
    expect(failure).toBeUndefined();
    expect(summary).toContain('is verified');
  });

  test('may be trusted by its intermediate, and need not bring its root', async () => {
    const signer = await certify('signer', between);
    expect((await verify(bundle(signer, []), [between])).failure).toBeUndefined();
    expect((await verify(bundle(signer, [between, root]), [root])).failure).toBeUndefined();
  });

  test('may be by a certificate that stands for itself', async () => {
    const own = await certify('own', undefined, { isAuthority: true });
    expect((await verify(bundle(own, []), [own])).failure).toBeUndefined();
    await expect(verify(bundle(own, []), [root])).rejects.toThrow('leads to none');
  });

  test.each([
    [
      'by another root of the same name',
      async () => bundle(await certify('signer', between), [between]),
      [stranger],
      /leads to none/,
    ],
    ['without its intermediate', async () => bundle(await certify('signer', between), []), [root], /leads to none/],
    [
      'that has expired, since nothing tells when it signed',
      async () => bundle(await certify('signer', between, { from: -9, to: -1 }), [between]),
      [root],
      /CN=signer expired on .*, and nothing in the signature tells when it was made/,
    ],
    [
      'that is not valid yet',
      async () => bundle(await certify('signer', between, { from: 1 }), [between]),
      [root],
      /CN=signer is valid from/,
    ],
    [
      'through an intermediate that has expired',
      async () => {
        const old = await certify('old', root, { isAuthority: true, from: -9, to: -1 });
        return bundle(await certify('signer', old), [old]);
      },
      [root],
      /CN=old expired/,
    ],
    [
      'through a certificate that is no authority',
      async () => {
        const leaf = await certify('leaf', between);
        return bundle(await certify('signer', leaf), [leaf, between]);
      },
      [root],
      /leads to none/,
    ],
    [
      'through more authorities than one of them allows',
      async () => {
        const last = await certify('last', root, { isAuthority: true, below: 0 });
        const more = await certify('more', last, { isAuthority: true });
        return bundle(await certify('signer', more), [more, last]);
      },
      [root],
      /CN=last may not stand so far above it/,
    ],
    [
      'of a server',
      async () => bundle(await certify('signer', between, { signs: false, usages: [SERVER] }), [between]),
      [root],
      /not one for signatures/,
    ],
  ])('is refused %s', async (_, make, roots, error) => {
    await expect(verify(await make(), roots)).rejects.toThrow(error);
  });

  test('is refused when another key signed', async () => {
    const [signer, other] = [await certify('signer', between), await certify('signer', between)];
    const forged = JSON.parse(bundle(other, [between]));
    forged.verificationMaterial.x509CertificateChain.certificates[0].rawBytes = Buffer.from(
      signer.certificate.rawData,
    ).toString('base64');
    await expect(verify(JSON.stringify(forged), [root])).rejects.toThrow('is wrong');
  });

  test('is refused for a root that is no certificate, and for a certificate that cannot be read', async () => {
    const signature = bundle(await certify('signer', between), [between]);
    await expect(verify(signature, [])).rejects.toThrow('no certificate in PEM');
    const broken = signature.replace(/"rawBytes":"[^"]{9}/, '"rawBytes":"AAAAAAAAA');
    await expect(verify(broken, [root])).rejects.toThrow('it cannot be read');
  });

  test('is none by an identity: the log has no entry of it', async () => {
    using step = createWorkspace({ ...FILES, 'm/model.sig': bundle(await certify('signer', between), [between]) });
    const given = { models: 'm/a.safetensors', signature: 'm/model.sig' };
    const identity = { identity: 'a@example.com', issuer: 'https://accounts.example.com' };
    await expect(step.verify({ ...given, ...identity })).rejects.toThrow('is not verified');
  });
});
