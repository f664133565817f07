import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CertificateAuthority } from './certificate-authority.ts';

const run = promisify(execFile);

export interface TimestampAuthority extends AsyncDisposable {
  /** DER in base64: of its own certificate and of the root. */
  readonly chain: readonly string[];
  /** A signed answer (RFC 3161) for a SHA-256. */
  sign(hash: Buffer): Promise<Buffer>;
}

/** Time stamps by the machine's own openssl, which knows the format better than a test should. */
export async function startTimestampAuthority(authority: CertificateAuthority): Promise<TimestampAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-tsa-'));
  const { certificate, key } = await authority.signTimestamper();
  const at = (name: string): string => join(folder, name);
  await writeFile(at('tsa.pem'), certificate.toString('pem'));
  await writeFile(at('root.pem'), authority.root.toString('pem'));
  await writeFile(at('tsa.key'), key, { mode: 0o600 });
  await writeFile(at('serial'), '01\n');
  await writeFile(
    at('openssl.cnf'),
    `[tsa]
default_tsa = own
[own]
serial = ${at('serial')}
signer_cert = ${at('tsa.pem')}
signer_key = ${at('tsa.key')}
certs = ${at('root.pem')}
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
`,
  );
  return {
    chain: [certificate, authority.root].map((one) => Buffer.from(one.rawData).toString('base64')),
    async sign(hash) {
      const [query, reply] = [at(`${hash.toString('hex')}.tsq`), at(`${hash.toString('hex')}.tsr`)];
      await run('openssl', ['ts', '-query', '-digest', hash.toString('hex'), '-sha256', '-cert', '-out', query]);
      await run('openssl', ['ts', '-reply', '-config', at('openssl.cnf'), '-queryfile', query, '-out', reply]);
      return readFile(reply);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
