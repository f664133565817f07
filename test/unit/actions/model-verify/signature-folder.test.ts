import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeImage, makeLayer, writeLayout } from '../../core/registry/oci-layout.ts';
import { BOTH, FILES, MODEL, README, type Resources, resource, sign, statement } from './model-signature.ts';
import { createWorkspace } from './verify-step.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const signed = (resources: Resources, serialization: object = {}): string =>
  sign(statement(resources, serialization), privateKey, 'sha256', { publicKey: {} });
const LINKS = { allow_symlinks: true };
const inputs = { models: 'm/a.safetensors', signature: 'm/model.sig', 'public-key': 'key.pem' };

describe('links in a signed folder', () => {
  const step = (resources: Resources, serialization: object) =>
    createWorkspace({ ...FILES, 'key.pem': PEM, 'other/b.bin': 'b', 'm/model.sig': signed(resources, serialization) });

  test('that the signer allowed are read as what they lead to', async () => {
    using folder = step([...BOTH, resource('z', README)], LINKS);
    symlinkSync('README.md', join(folder.workspace, 'm/z'));
    expect((await folder.verify(inputs)).failure).toBeUndefined();
    folder.write('m/README.md', 'other');
    await expect(folder.verify(inputs)).rejects.toThrow(/README\.md.*; "m\/z"/);
  });

  test.each([
    ['a folder', 'm/z', '../other', /"m\/z": it stands in the signed folder, but is not signed/],
    ['nothing', 'm/z', 'gone', /"m\/z": it stands in the signed folder, but is not signed/],
    ['a file outside of the repository', 'm/z', '/etc/hostname', /leaves the repository/],
  ])('do not pass where they lead to %s', async (_, link, target, error) => {
    using folder = step(BOTH, LINKS);
    symlinkSync(target, join(folder.workspace, link));
    await expect(folder.verify(inputs)).rejects.toThrow(error);
  });

  test('that are signed as a file do not pass for a folder', async () => {
    using folder = step([...BOTH, resource('z', README)], LINKS);
    mkdirSync(join(folder.workspace, 'm2'));
    symlinkSync('../m2', join(folder.workspace, 'm/z'));
    await expect(folder.verify(inputs)).rejects.toThrow('it is signed, but leads to no file');
  });
});

describe('what the signer left out', () => {
  test.each(['', '.', '/', '..', '*', '**', 'new', 'm/new.py'])('is no more than it says: %j', async (path) => {
    using step = createWorkspace({
      ...FILES,
      'm/new.py': 'x',
      'key.pem': PEM,
      'm/model.sig': signed(BOTH, { ignore_paths: [path] }),
    });
    await expect(step.verify(inputs)).rejects.toThrow('new.py": it stands in the signed folder, but is not signed');
  });

  test('may be a folder with all in it, at its place alone', async () => {
    using step = createWorkspace({
      ...FILES,
      'm/cache/deep/x': 'x',
      'key.pem': PEM,
      'm/model.sig': signed(BOTH, { ignore_paths: ['cache/'] }),
    });
    expect((await step.verify(inputs)).failure).toBeUndefined();
    step.write('m/sub/cache/x', 'x');
    await expect(step.verify(inputs)).rejects.toThrow('sub/cache/x": it stands in the signed folder');
  });

  test('is what git keeps at the top of the folder, and nowhere else', async () => {
    using step = createWorkspace({ ...FILES, 'm/.git/HEAD': 'x', 'key.pem': PEM, 'm/model.sig': signed(BOTH) });
    expect((await step.verify(inputs)).failure).toBeUndefined();
    step.write('m/sub/.gitignore', 'x');
    await expect(step.verify(inputs)).rejects.toThrow('sub/.gitignore": it stands in the signed folder');
  });
});

describe('a signature that stands elsewhere', () => {
  const given = { models: 'm/*.safetensors', signature: 'model.sig', 'public-key': 'key.pem' };

  test('covers the folder that "signed" names', async () => {
    using step = createWorkspace({ ...FILES, 'key.pem': PEM, 'model.sig': signed(BOTH) });
    await expect(step.verify(given)).rejects.toThrow('is not what was signed');
    expect((await step.verify({ ...given, signed: 'm', require: 'signature' })).failure).toBeUndefined();
    await expect(step.verify({ ...given, signed: 'n' })).rejects.toThrow('there is no folder or file "n"');
    symlinkSync('/etc', join(step.workspace, 'out'));
    await expect(step.verify({ ...given, signed: 'out' })).rejects.toThrow('"out" leaves the repository');
    await expect(step.verify({ models: given.models, signed: 'm' })).rejects.toThrow(
      'no "signature" to hold it against',
    );
  });

  test.each([['.'], ['a.safetensors']])('covers the one file that "signed" names, signed as %j', async (name) => {
    using step = createWorkspace({ ...FILES, 'key.pem': PEM, 'model.sig': signed([resource(name, MODEL)]) });
    const one = { ...given, signed: 'm/a.safetensors', require: 'signature' };
    expect((await step.verify(one)).failure).toBeUndefined();
    step.write('m/b.safetensors', MODEL);
    const { outputs } = await step.verify(one);
    expect(outputs.manifest).toMatchObject([
      { path: 'm/a.safetensors', findings: [{ rule: 'duplicate' }] },
      { path: 'm/b.safetensors', findings: [{ rule: 'signature' }, { rule: 'duplicate' }] },
    ]);
    step.write('m/a.safetensors', README);
    expect((await step.verify(one)).failure).toBeDefined();
  });
});

describe('shards', () => {
  const SHARDS = { method: 'shards', shard_size: 50 };
  const both: Resources = [
    resource('README.md:0:10', README),
    resource('a.safetensors:0:50', MODEL.subarray(0, 50)),
    resource(`a.safetensors:50:${MODEL.length}`, MODEL.subarray(50)),
  ];
  const step = (resources: Resources, files = {}, serialization: object = SHARDS) =>
    createWorkspace({ ...FILES, ...files, 'key.pem': PEM, 'm/model.sig': signed(resources, serialization) });

  test('may belong to a file with colons in its name, and need none for an empty file', async () => {
    using folder = step([...both, resource('xy:1:2:0:10', README)], { 'm/xy:1:2': README, 'm/__init__.py': '' });
    expect((await folder.verify(inputs)).failure).toBeUndefined();
    folder.write('m/__init__.py', 'import os');
    await expect(folder.verify(inputs)).rejects.toThrow('__init__.py": it stands in the signed folder');
  });

  test('must be there of a link as well, though it is not read', async () => {
    using folder = step(both, { 'other.py': 'import os' });
    symlinkSync('../other.py', join(folder.workspace, 'm/z.py'));
    await expect(folder.verify(inputs)).rejects.toThrow('z.py": it stands in the signed folder');
  });

  test.each([
    [
      'of a file that changed in its second part',
      { 'm/a.safetensors': Buffer.concat([MODEL.subarray(0, -1), README]) },
    ],
    ['of a file that grew by whole shards', { 'm/a.safetensors': Buffer.concat([MODEL, Buffer.alloc(50)]) }],
    ['of a file that was cut', { 'm/a.safetensors': MODEL.subarray(0, 50) }],
    ['of a file that is empty now', { 'm/a.safetensors': '' }],
  ])('%s do not pass', async (_, files) => {
    using folder = step(both, files);
    expect((await folder.verify(inputs)).outputs.manifest).toMatchObject([
      { findings: expect.arrayContaining([expect.objectContaining({ rule: 'signature' })]) },
    ]);
  });

  test.each([
    ['without a size', { method: 'shards', shard_size: 0 }, both, /shards have no size/],
    ['of half a byte', { method: 'shards', shard_size: 0.5 }, both, /shards have no size/],
    ['without a place', SHARDS, [resource('README.md', README)], /is the name of no shard/],
    ['that end before they start', SHARDS, [resource('README.md:9:3', README)], /is the name of no shard/],
  ])('%s are refused', async (_, serialization, resources, error) => {
    using folder = step(resources, {}, serialization);
    await expect(folder.verify(inputs)).rejects.toThrow(error);
  });

  test('of other sizes than the stated one do not pass for it', async () => {
    using folder = step(both, {}, { method: 'shards', shard_size: 60 });
    await expect(folder.verify(inputs)).resolves.toMatchObject({
      failure: expect.stringContaining('failed verification'),
    });
  });
});

describe('a signature of the workspace over a folder of an image', () => {
  const given = { models: '*.safetensors', signature: 'model.sig', 'public-key': 'key.pem', require: 'signature' };

  /** A workspace with an image layout whose /m holds these files. */
  async function withImage(files: Readonly<Record<string, string>>, signature = signed(BOTH)) {
    const step = createWorkspace({ 'key.pem': PEM, 'model.sig': signature });
    const entries = Object.entries(files).map(([name, content]) => ({ name: `m/${name}`, content }));
    const { manifest, blobs } = makeImage([await makeLayer(entries)]);
    mkdirSync(join(step.workspace, 'image'));
    await writeLayout(join(step.workspace, 'image'), manifest, blobs);
    return step;
  }
  const content = { 'a.safetensors': MODEL.toString('latin1'), 'README.md': README.toString() };

  test('may have its copy in there, and nothing else that is not signed', async () => {
    const signature = signed(BOTH);
    using step = await withImage({ ...content, 'model.sig': signature }, signature);
    expect((await step.verify({ ...given, image: 'layout:image:/m' })).failure).toBeUndefined();
    using other = await withImage({ ...content, 'model.sig': 'import os' });
    await expect(other.verify({ ...given, image: 'layout: image:/m' })).rejects.toThrow(
      '"model.sig": it stands in the signed folder, but is not signed',
    );
  });

  test('covers the folder in it that "signed" names', async () => {
    const below = Object.fromEntries(Object.entries(content).map(([name, text]) => [`deep/${name}`, text]));
    using step = await withImage({ ...below, 'other.txt': 'x' });
    const image = { ...given, models: '**/*.safetensors', image: 'layout:image:/m' };
    expect((await step.verify({ ...image, signed: 'deep' })).failure).toBeUndefined();
    await expect(step.verify(image)).rejects.toThrow('is not what was signed');
  });
});
