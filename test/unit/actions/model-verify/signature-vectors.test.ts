import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createWorkspace } from './verify-step.ts';

/** Signatures by the reference implementation and its conformance suite; the folder's README says whence. */
const fixtures = join(import.meta.dirname, '../../core/models/fixtures/model-signing');
const vector = (name: string): Buffer => readFileSync(join(fixtures, name));

const IDENTITY = { identity: 'stefanb@us.ibm.com', issuer: 'https://sigstore.verify.ibm.com/oauth2' };
const KEY = { 'public-key': 'signing-key-pub.pem' };
const CHAIN = { 'trusted-root': 'intermediate-ca.pem' };
const TWO = { 'm/signme-1': 'signme-1', 'm/signme-2': 'signme-2' };
const TWO_LINES = { 'm/signme-1': 'signme-1\n', 'm/signme-2': 'signme-2' };
const ONE = { 'm/signme-1': 'signme-1\n' };
const MULTI = {
  'm/config.json': '{"model": "test", "version": "1.0"}',
  'm/subdir/adapter.bin': Buffer.alloc(512, 0xcd),
  'm/weights.bin': Buffer.alloc(1024, 0xab),
};

/** The files under no name that says a format: what they hold is not judged here. */
async function verify(
  name: string,
  files: Readonly<Record<string, string | Buffer>>,
  by: Readonly<Record<string, string>>,
) {
  using step = createWorkspace({
    'signing-key-pub.pem': vector('signing-key-pub.pem'),
    'intermediate-ca.pem': vector('intermediate-ca.pem'),
    'm/model.sig': vector(`${name}.sig`),
    ...files,
  });
  const [model = ''] = Object.keys(files);
  return await step.verify({ models: model, scan: 'off', signature: 'm/model.sig', require: 'signature', ...by });
}

describe('signatures of the reference implementation', () => {
  test.each([
    ['v0.2.0-certificate', TWO, CHAIN],
    ['v0.3.1-certificate', TWO, CHAIN],
    ['v1.1.0-certificate', { ...TWO, 'm/ignore-me': 'x' }, CHAIN],
    ['v0.3.1-elliptic-key', ONE, KEY],
    ['v1.0.0-elliptic-key', ONE, KEY],
    ['v1.1.0-elliptic-key', { ...TWO_LINES, 'm/ignore-me': 'x' }, KEY],
    ['v0.3.1-sigstore', TWO, IDENTITY],
    ['v1.0.0-sigstore', TWO, IDENTITY],
    ['v1.0.1-sigstore', TWO, IDENTITY],
    ['v1.1.0-sigstore', { ...TWO, 'm/ignore-me': 'x' }, IDENTITY],
    ['key-multi-file', MULTI, KEY],
    ['key-simple-go', TWO_LINES, KEY],
  ])('%s is verified', async (name, files, by) => {
    expect((await verify(name, files, by)).failure).toBeUndefined();
  });

  test.each([
    ['v0.2.0-certificate', { ...TWO, 'm/signme-1': 'other' }, CHAIN],
    ['v1.1.0-certificate', { ...TWO, 'm/signme-1': 'other' }, CHAIN],
    ['v1.1.0-elliptic-key', { ...TWO_LINES, 'm/signme-1': 'signme-1' }, KEY],
    ['v1.1.0-sigstore', { ...TWO, 'm/signme-1': 'other' }, IDENTITY],
    ['v0.3.1-elliptic-key', { 'm/signme-1': 'signme-1' }, KEY],
  ])('%s does not cover a model that changed', async (name, files, by) => {
    expect((await verify(name, files, by)).outputs.manifest).toMatchObject([{ findings: [{ rule: 'signature' }] }]);
  });

  test.each<[string, Readonly<Record<string, string | Buffer>>, Readonly<Record<string, string>>, RegExp]>([
    [
      'v1.1.0-sigstore',
      TWO,
      { ...IDENTITY, identity: 'other@us.ibm.com' },
      /by the identity "stefanb@us\.ibm\.com", not/,
    ],
    [
      'v1.1.0-sigstore',
      TWO,
      { ...IDENTITY, issuer: 'https://accounts.google.com' },
      /by the issuer "https:\/\/sigstore/,
    ],
    ['v1.1.0-sigstore', { ...TWO, 'm/new.py': 'x' }, IDENTITY, /not signed/],
    ['v1.0.1-sigstore', { 'm/signme-1': 'signme-1' }, IDENTITY, /"signme-2": it is signed, but is not there/],
    ['v0.3.1-sigstore', TWO, { ...IDENTITY, 'trusted-root': 'root.json' }, /is not verified/],
    ['v1.1.0-sigstore', TWO, KEY, /by a certificate, not by a key/],
    ['v1.1.0-certificate', TWO, KEY, /by a certificate, not by a key/],
    ['v1.1.0-certificate', TWO, IDENTITY, /is not verified/],
    ['v1.1.0-elliptic-key', TWO_LINES, IDENTITY, /was signed with a key/],
    ['v1.1.0-elliptic-key', TWO_LINES, CHAIN, /needs to know who must have signed/],
    ['key-multi-file', { ...MULTI, 'm/subdir/.gitignore': 'x' }, KEY, /subdir\/\.gitignore": it stands in the signed/],
    ['certificate-expired', TWO_LINES, CHAIN, /CN=expired-signer expired on/],
    ['v0.2.0-certificate', { ...TWO, 'm/new.py': 'x' }, CHAIN, /not signed/],
    ['v0.2.0-certificate', { 'm/signme-1': 'signme-1' }, CHAIN, /"signme-2": it is signed, but is not there/],
  ])('%s is refused for what it is not (%#)', async (name, files, by, error) => {
    const root = JSON.stringify({
      mediaType: '',
      tlogs: [],
      certificateAuthorities: [],
      ctlogs: [],
      timestampAuthorities: [],
    });
    await expect(verify(name, { ...files, 'root.json': root }, by)).rejects.toThrow(error);
  });

  test.each(['v0.2.0-certificate', 'v1.1.0-certificate', 'v1.1.0-elliptic-key', 'v1.1.0-sigstore'])(
    '%s is refused when it is cut, or one character of it is another',
    async (name) => {
      const text = vector(`${name}.sig`).toString();
      const by = name.endsWith('key') ? KEY : name.endsWith('sigstore') ? IDENTITY : CHAIN;
      const payload = text.indexOf('"payload":"') + 60;
      const swapped = text[payload] === 'A' ? 'B' : 'A';
      for (const broken of [
        text.slice(0, -9),
        `${text.slice(0, payload)}${swapped}${text.slice(payload + 1)}`,
        text.replace('bundle.v0.3+json', 'bundle.v9+json'),
        text.replace('vnd.in-toto+json', 'vnd.other+json'),
        '{}',
      ])
        await expect(verify(name, { ...TWO_LINES, 'm/model.sig': broken }, by)).rejects.toThrow(
          /model\.sig" (?:is no model signature|is not verified)|the signature in .* is wrong/,
        );
    },
  );
});
