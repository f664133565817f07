import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import { EMPTY_PAYLOAD, encodePath, sha256Hex, signRequest } from '../../../../src/core/aws/signature.ts';

/** The keys, bucket and date of the examples in "Authenticating Requests: Using the Authorization Header" (Amazon S3 API Reference). */
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const host = 'examplebucket.s3.amazonaws.com';
const date = new Date('2013-05-24T00:00:00Z');
const scope = { service: 's3', region: 'us-east-1' };

describe('signRequest', () => {
  it.each([
    [
      'GET of a range',
      { method: 'GET', path: '/test.txt', headers: { range: 'bytes=0-9' }, payloadHash: EMPTY_PAYLOAD },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'PUT of an object',
      {
        method: 'PUT',
        path: '/test$file.text',
        headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
        payloadHash: sha256Hex('Welcome to Amazon S3.'),
      },
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    [
      'GET of the lifecycle',
      { method: 'GET', path: '/', query: [['lifecycle', '']] as const, payloadHash: EMPTY_PAYLOAD },
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'a listing',
      {
        method: 'GET',
        path: '/',
        query: [
          ['prefix', 'J'],
          ['max-keys', '2'],
        ] as const,
        payloadHash: EMPTY_PAYLOAD,
      },
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ])("gives the signature of AWS's example: %s", (_, request, signature) => {
    const { authorization } = signRequest({ host, ...request }, scope, credentials, date);
    expect(authorization).toMatch(new RegExp(`Signature=${signature}$`));
  });

  it.each(['/a b+c&d=e%20f.txt', "/ü/日本語/(1)!'*~.html", '/a//b/', '/@scope/x;y:z,$?#[].js'])(
    "signs the path %s as the SDK's signer does",
    async (path) => {
      const peer = new SignatureV4({
        credentials,
        region: 'us-east-1',
        service: 's3',
        sha256: NodeSha256,
        uriEscapePath: false,
      });
      const signed = await peer.sign(
        {
          protocol: 'https:',
          method: 'PUT',
          hostname: host,
          path: encodePath(path),
          query: {},
          headers: { host, 'x-amz-content-sha256': EMPTY_PAYLOAD },
        },
        { signingDate: date },
      );
      const ours = signRequest({ method: 'PUT', host, path, payloadHash: EMPTY_PAYLOAD }, scope, credentials, date);
      expect(ours['authorization']).toBe(signed.headers['authorization']);
    },
  );

  it('signs the token of a session', () => {
    const headers = signRequest(
      { method: 'GET', host, path: '/', payloadHash: EMPTY_PAYLOAD },
      scope,
      { ...credentials, sessionToken: 'token' },
      date,
    );
    expect(headers['x-amz-security-token']).toBe('token');
    expect(headers['authorization']).toContain(
      'SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,',
    );
  });

  it('does not sign with the key of another day, region or secret', () => {
    const sign = (region: string, secretAccessKey: string) =>
      signRequest(
        { method: 'GET', host, path: '/', payloadHash: EMPTY_PAYLOAD },
        { ...scope, region },
        { ...credentials, secretAccessKey },
        date,
      )['authorization'];
    const signatures = [sign('us-east-1', 'a'), sign('us-east-1', 'b'), sign('eu-west-1', 'b'), sign('us-east-1', 'a')];
    expect(new Set(signatures).size).toBe(3);
  });
});

class NodeSha256 {
  private readonly state;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.state = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.state.update(bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.state.digest();
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
