import { describe, expect, test } from 'vitest';
import { provenanceStatement, readJobClaims } from '../../../../src/core/attest/provenance.ts';
import { type SigstoreBundle, signStatement } from '../../../../src/core/attest/sign-statement.ts';
import { startOidcIssuer } from '../../../harness/standins/oidc-issuer.ts';
import { type Sigstore, startSigstore } from '../../../harness/standins/sigstore.ts';
import { keptLog } from '../registry/kept-log.ts';
import { verifyBundle } from './verify-bundle.ts';

const digest = `sha256:${'a'.repeat(64)}`;

interface Signed extends AsyncDisposable {
  readonly bundle: SigstoreBundle;
  readonly sigstore: Sigstore;
  readonly issuer: string;
}

async function signWith(services: readonly ('rekor' | 'tsa')[]): Promise<Signed> {
  await using stack = new AsyncDisposableStack();
  const issuer = stack.use(await startOidcIssuer());
  const sigstore = stack.use(await startSigstore({ issuer: issuer.issuer }));
  const token = issuer.mintToken({ audience: 'sigstore' });
  const claims = readJobClaims(token);
  const bundle = await signStatement({
    statement: provenanceStatement([{ name: 'ghcr.io/acme/app', digest }], claims, 'https://github.com'),
    instance: {
      fulcio: sigstore.url,
      rekor: services.includes('rekor') ? sigstore.url : undefined,
      tsa: services.includes('tsa') ? sigstore.url : undefined,
    },
    token,
    claims,
    log: keptLog(),
  });
  const running = stack.move();
  return { bundle, sigstore, issuer: issuer.issuer, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

describe('a signed statement', () => {
  test.each([[['rekor']], [['tsa']], [['rekor', 'tsa']]] as const)(
    "is good to Sigstore's own verifier, with its time from %s",
    async (services) => {
      await using signed = await signWith(services);
      expect(verifyBundle(signed.bundle, signed.sigstore)).toEqual({
        uri: 'https://github.com/octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main',
        issuer: signed.issuer,
      });
    },
  );

  test('is good also as one of many in the log', async () => {
    await using issuer = await startOidcIssuer();
    await using sigstore = await startSigstore({ issuer: issuer.issuer });
    const instance = { fulcio: sigstore.url, rekor: sigstore.url, tsa: undefined };
    const token = issuer.mintToken({ audience: 'sigstore' });
    const claims = readJobClaims(token);
    for (let number = 0; number < 6; number += 1) {
      const bundle = await signStatement({ statement: { number }, instance, token, claims, log: keptLog() });
      expect(verifyBundle(bundle, sigstore).issuer).toBe(issuer.issuer);
    }
    expect(sigstore.entries).toHaveLength(6);
  });

  test('is refused by it when a byte of the payload is another', async () => {
    await using signed = await signWith(['rekor']);
    const text = JSON.stringify(signed.bundle);
    const payload = /"payload":"([^"]+)"/.exec(text)?.[1] ?? '';
    const changed = Buffer.from(payload, 'base64').toString().replace('acme/app', 'acme/bad');
    const forged: unknown = JSON.parse(text.replace(payload, Buffer.from(changed).toString('base64')));
    expect(() => verifyBundle(forged, signed.sigstore)).toThrow();
  });

  test('is refused by it under another trust root', async () => {
    await using signed = await signWith(['rekor']);
    await using other = await startSigstore({ issuer: signed.issuer });
    expect(() => verifyBundle(signed.bundle, other)).toThrow();
  });

  test('says which commit, which workflow and which run made which digest', async () => {
    await using signed = await signWith(['rekor']);
    const payload = /"payload":"([^"]+)"/.exec(JSON.stringify(signed.bundle))?.[1] ?? '';
    expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'ghcr.io/acme/app', digest: { sha256: 'a'.repeat(64) } }],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: 'https://actions.github.io/buildtypes/workflow/v1',
          externalParameters: {
            workflow: {
              ref: 'refs/heads/main',
              repository: 'https://github.com/octo-org/octo-repo',
              path: '.github/workflows/release.yml',
            },
          },
          internalParameters: {
            github: {
              event_name: 'push',
              repository_id: '74',
              repository_owner_id: '65',
              runner_environment: 'github-hosted',
            },
          },
          resolvedDependencies: [
            {
              uri: 'git+https://github.com/octo-org/octo-repo@refs/heads/main',
              digest: { gitCommit: '4c3f1f6a0f8f4e9a9d2b7c5e1a0b3d6f8e7c9a1b' },
            },
          ],
        },
        runDetails: {
          builder: { id: 'https://github.com/octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main' },
          metadata: { invocationId: 'https://github.com/octo-org/octo-repo/actions/runs/1001/attempts/1' },
        },
      },
    });
  });

  test('is not made with a token of another audience, or of nobody', async () => {
    await using issuer = await startOidcIssuer();
    await using sigstore = await startSigstore({ issuer: issuer.issuer });
    const instance = { fulcio: sigstore.url, rekor: sigstore.url, tsa: undefined };
    for (const token of [issuer.mintToken({ audience: 'aws' }), issuer.mintToken({ isForged: true })]) {
      const claims = readJobClaims(token);
      await expect(signStatement({ statement: {}, instance, token, claims, log: keptLog() })).rejects.toThrow(
        'Fulcio answered 401',
      );
    }
    expect(sigstore.entries).toEqual([]);
  });
});
