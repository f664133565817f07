import { createHash } from 'node:crypto';
import { existsSync, linkSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BENIGN, PAYLOAD } from '../../core/models/generators/pickle.ts';
import { field, initializer, message, onnx } from '../../core/models/generators/protobuf.ts';
import { safetensors } from '../../core/models/generators/tensors.ts';
import { torchZip } from '../../core/models/generators/zip.ts';
import { createWorkspace } from './verify-step.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const WEIGHTS = safetensors({ w: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] } }, 16);
const OTHER = safetensors({ v: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] } }, 16);
const CLASS = Buffer.from('\x80\x02cmy.models\nNet\n)\x81.', 'latin1');

describe('a models.yml', () => {
  const listed = `models:\n  - path: best.safetensors\n    sha256: ${sha256(WEIGHTS)}\n    size: ${WEIGHTS.length}\n    format: safetensors\n    licence: MIT\n`;

  test('that fits verifies what it lists', async () => {
    using step = createWorkspace({ 'models/best.safetensors': WEIGHTS, 'models/models.yml': listed });
    const { failure, outputs, summary } = await step.verify({ manifest: 'models/models.yml', require: 'checksum' });
    expect(failure).toBeUndefined();
    expect(outputs).toMatchObject({ verified: 1, sha256: sha256(WEIGHTS), cacheHit: undefined });
    expect(outputs.labels).toBe(`dev.slipway.model.best.safetensors=sha256:${sha256(WEIGHTS)}`);
    expect(outputs.manifest).toMatchObject([
      { path: 'models/best.safetensors', tensors: 1, parameters: 4, findings: [] },
    ]);
    expect(summary).toContain('as expected');
  });

  test.each([
    ['another digest', listed.replace(/sha256: ./, 'sha256: 0'), /^::error .*file=models\.yml,line=2.*its sha256 is/],
    ['another size', listed.replace(/size: \d+/, 'size: 7'), /but 7 are expected/],
    [
      'another format',
      listed.replace('format: safetensors', 'format: gguf'),
      /it is safetensors, but gguf is expected/,
    ],
  ])('with %s fails at its line', async (_, text, line) => {
    using step = createWorkspace({ 'best.safetensors': WEIGHTS, 'models.yml': text });
    const { failure, lines } = await step.verify({ manifest: 'models.yml', scan: 'warn' });
    expect(failure).toBe('1 of 1 models failed verification');
    expect(lines.find((each) => each.startsWith('::error'))).toMatch(line);
  });

  test('may allow imports for one model and not for another', async () => {
    const manifest = `models:\n  - { path: a.pkl, allow: ['my.models.*'] }\n  - { path: b.pkl }\n`;
    using step = createWorkspace({ 'a.pkl': CLASS, 'b.pkl': Buffer.concat([CLASS, BENIGN]), 'models.yml': manifest });
    const { outputs } = await step.verify({ manifest: 'models.yml' });
    expect(outputs.manifest).toMatchObject([{ findings: [] }, { findings: [{ rule: 'pickle-import' }] }]);
  });
});

test('what write-manifest writes is read back, in both formats, with what was told before', async () => {
  const manifest = `models:\n  - { path: a.safetensors, licence: MIT, allow: [x.y] }\n  - { path: deep/b.pkl }\n`;
  using step = createWorkspace({ 'm/a.safetensors': WEIGHTS, 'm/deep/b.pkl': BENIGN, 'm/models.yml': manifest });
  for (const name of ['m/models.yml', 'm/SHA256SUMS', 'm/again.yaml']) {
    const { failure, outputs } = await step.verify({ manifest: 'm/models.yml', 'write-manifest': name });
    expect(failure).toBeUndefined();
    expect(outputs.verified).toBe(2);
    const again = await step.verify({ manifest: name, require: 'checksum' });
    expect(again.failure).toBeUndefined();
    expect(again.outputs.sha256).toBe(outputs.sha256);
  }
  expect(readFileSync(join(step.workspace, 'm/again.yaml'), 'utf8')).toContain(
    'licence: MIT\n    allow:\n      - x.y\n',
  );
  await expect(step.verify({ models: 'm/a.safetensors', 'write-manifest': 'm/deep/SUMS' })).rejects.toThrow(
    'does not stand below',
  );
});

test('warn never hides a mismatch, and off reads no format', async () => {
  using step = createWorkspace({ 'a.pkl': PAYLOAD });
  expect((await step.verify({ models: 'a.pkl' })).failure).toBeDefined();
  const warned = await step.verify({ models: 'a.pkl', scan: 'warn' });
  expect(warned.failure).toBeUndefined();
  expect(warned.lines.some((line) => line.startsWith('::warning') && line.includes('os.system'))).toBe(true);
  expect((await step.verify({ models: 'a.pkl', scan: 'warn', sha256: '0'.repeat(64) })).failure).toBeDefined();
  expect((await step.verify({ models: 'a.pkl', scan: 'off' })).failure).toBeUndefined();
});

test('the same weights twice are noted and pass', async () => {
  using step = createWorkspace({ 'a.safetensors': WEIGHTS, 'b.safetensors': WEIGHTS });
  const { failure, lines } = await step.verify({ models: '*.safetensors' });
  expect(failure).toBeUndefined();
  expect(lines.filter((line) => line.startsWith('::notice')).length).toBe(2);
});

test('a name that says another format than the content is found', async () => {
  using step = createWorkspace({ 'a.safetensors': torchZip(BENIGN) });
  expect((await step.verify({ models: 'a.safetensors' })).outputs.manifest).toMatchObject([
    { format: 'pytorch', findings: [{ rule: 'name' }] },
  ]);
});

test('a wrong checksum of a stored entry is found while the file is hashed', async () => {
  using step = createWorkspace({ 'a.pt': torchZip(BENIGN, { name: 'best/data/1', content: Buffer.alloc(9), crc: 1 }) });
  expect((await step.verify({ models: 'a.pt' })).outputs.manifest).toMatchObject([
    { findings: [{ rule: 'zip', entry: 'best/data/1' }] },
  ]);
});

describe('external data of ONNX', () => {
  const model = onnx(message(initializer([4], 'w.bin')));
  test('that is there passes; that is not there, or is a link, does not', async () => {
    using step = createWorkspace({ 'a/m.onnx': model, 'other.bin': 'x' });
    const findings = async () => (await step.verify({ models: 'a/m.onnx' })).outputs.manifest;
    expect(await findings()).toMatchObject([{ findings: [{ severity: 'mismatch', rule: 'external-data' }] }]);
    symlinkSync('../other.bin', join(step.workspace, 'a/w.bin'));
    expect(await findings()).toMatchObject([{ findings: [{ severity: 'suspicious' }] }]);
  });
  test('that ends before its tensor does is cut off', async () => {
    const place = (key: string, value: string): Buffer => field(13, message(field(1, key), field(2, value)));
    const tensor = message(place('location', 'w.bin'), place('offset', '4096'), place('length', '16'), field(14, 1));
    using step = createWorkspace({ 'm.onnx': onnx(message(field(5, tensor))), 'w.bin': Buffer.alloc(4112) });
    expect((await step.verify({ models: 'm.onnx' })).failure).toBeUndefined();
    step.write('w.bin', Buffer.alloc(4111));
    expect((await step.verify({ models: 'm.onnx' })).outputs.manifest).toMatchObject([
      { findings: [{ severity: 'mismatch', message: expect.stringContaining('up to byte 4112, but has 4111') }] },
    ]);
  });
  test('that has a second name does not pass', async () => {
    using step = createWorkspace({ 'm.onnx': model, 'other.bin': 'x' });
    linkSync(join(step.workspace, 'other.bin'), join(step.workspace, 'w.bin'));
    expect((await step.verify({ models: 'm.onnx' })).failure).toBeDefined();
  });
});

describe('what cannot be done is refused before anything is read', () => {
  const unknown = (text: string): string => `models:\n  - path: a\n    ${text}\n`;
  test.each([
    ['models.yml', unknown('sha: 1'), /"models\.0\.sha" is no key of a model; known are path, sha256/],
    ['models.yml', unknown('license: MIT'), /did you mean "licence"\?/],
    ['models.yml', unknown('sha256: abc'), /64 hexadecimal digits/],
    ['models.yml', unknown('format: pickel'), /must be one of/],
    ['models.yml', unknown('url: ftp://x'), /must be an address/],
    ['models.yml', 'models:\n  - path: ../a\n', /names a file outside/],
    ['models.yml', 'models:\n  - path: a\n  - path: a\n', /listed twice \(lines 2 and 3\)/],
    ['models.yml', 'models: []\n', /lists no model/],
    ['models.yml', 'modles: []\n', /did you mean "models"\?/],
    ['models.yml', unknown('url: https://example.com/a'), /has a "url" but no sha256/],
    ['a.dvc', 'outs:\n- md5: abc\n  path: a\n', /32 hexadecimal digits/],
    ['a.dvc', 'outs:\n- etag: abc\n  path: a\n', /says nothing of the bytes/],
    [
      'a.txt',
      `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 3\n`,
      /call it <file>\.lfs/,
    ],
    ['a.lfs', 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n', /starts like a git-lfs pointer/],
  ])('%s: %j', async (name, text, error) => {
    using step = createWorkspace({ [name]: text });
    await expect(step.verify({ manifest: name })).rejects.toThrow(error);
  });

  test.each([
    [{ require: 'signature' }, /"signature" names none/],
    [{ require: 'checksums' }, /"checksums" is none of checksum, signature, safe-format; did you mean checksum\?/],
    [{ formats: 'onx' }, /did you mean onnx\?/],
    [{ 'public-key': 'a.pem' }, /no "signature" to hold it against/],
    [{ image: 'ghcr.io/a/b' }, /write REFERENCE:\/path/],
    [{ scan: 'off', formats: 'onnx' }, /"scan" is "off"/],
  ])('%j', async (inputs, error) => {
    using step = createWorkspace({ 'a.safetensors': WEIGHTS });
    await expect(step.verify({ models: 'a.safetensors', ...inputs })).rejects.toThrow(error);
  });
});

test('a .dvc file and a git-lfs pointer say what is expected; an MD5 alone is no checksum', async () => {
  const md5 = createHash('md5').update(WEIGHTS).digest('hex');
  using step = createWorkspace({
    'a.safetensors': WEIGHTS,
    'b.safetensors': OTHER,
    'a.safetensors.dvc': `outs:\n- md5: ${md5}\n  size: ${WEIGHTS.length}\n  hash: md5\n  path: a.safetensors\n`,
    'b.safetensors.lfs': `version https://git-lfs.github.com/spec/v1\r\noid sha256:${sha256(OTHER)}\r\nsize ${OTHER.length}\r\n`,
  });
  const manifest = 'a.safetensors.dvc\nb.safetensors.lfs';
  expect((await step.verify({ manifest })).outputs.verified).toBe(2);
  const { outputs } = await step.verify({ manifest, require: 'checksum' });
  expect(outputs.manifest).toMatchObject([
    { findings: [{ message: expect.stringContaining('only an MD5') }] },
    { findings: [] },
  ]);
  step.write('a.safetensors', OTHER);
  expect((await step.verify({ manifest: 'a.safetensors.dvc' })).failure).toBeDefined();
  expect(existsSync(join(step.workspace, 'a.safetensors'))).toBe(true);
});

describe('a folder that DVC tracks', () => {
  const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
  const folderOf = (files: Readonly<Record<string, Buffer>>): string => {
    const list = Object.entries(files).map(([path, bytes]) => `{"md5": "${md5(bytes)}", "relpath": "${path}"}`);
    return `outs:\n- md5: ${md5(Buffer.from(`[${list.join(', ')}]`))}.dir\n  nfiles: 2\n  hash: md5\n  path: data\n`;
  };
  const tracked = folderOf({ 'a.safetensors': WEIGHTS, 'deep/b.pkl': BENIGN });

  test('is held against the list of its files, and each file is read', async () => {
    using step = createWorkspace({ 'data.dvc': tracked, 'data/a.safetensors': WEIGHTS, 'data/deep/b.pkl': BENIGN });
    const { failure, outputs } = await step.verify({ manifest: 'data.dvc' });
    expect(failure).toBeUndefined();
    expect(outputs.verified).toBe(2);
    expect((await step.verify({ manifest: 'data.dvc', models: 'data/a.safetensors' })).outputs.verified).toBe(2);
    expect((await step.verify({ manifest: 'data.dvc', require: 'checksum' })).failure).toBeDefined();
  });

  test.each([
    ['another file', { 'data/a.safetensors': OTHER, 'data/deep/b.pkl': BENIGN }, /the list of its 2 files has the MD5/],
    ['a file too few', { 'data/a.safetensors': WEIGHTS }, /the list of its 1 files/],
    ['a file under another name', { 'data/a.safetensors': WEIGHTS, 'data/b.pkl': BENIGN }, /file=data\.dvc,line=5/],
    ['no folder', { 'a.pkl': BENIGN }, /the folder is listed in "data\.dvc" but is not there/],
  ])('fails with %s', async (_, files, line) => {
    using step = createWorkspace({ 'data.dvc': tracked, ...files });
    const { failure, lines } = await step.verify({ manifest: 'data.dvc' });
    expect(failure).toMatch(/^1 of \d models failed verification$/);
    expect(lines.join('\n')).toMatch(line);
  });

  test('may list its files one by one', async () => {
    const listed = `outs:\n- path: data\n  hash: md5\n  files:\n  - relpath: a.safetensors\n    md5: ${md5(WEIGHTS)}\n`;
    using step = createWorkspace({ 'data.dvc': listed, 'data/a.safetensors': WEIGHTS });
    expect((await step.verify({ manifest: 'data.dvc' })).outputs.verified).toBe(1);
    step.write('data/a.safetensors', OTHER);
    expect((await step.verify({ manifest: 'data.dvc' })).lines.join('\n')).toMatch(/file=data\.dvc,line=5.*its md5 is/);
  });
});

test('a file that is listed and not there fails at its line, and does not hide what is found in the others', async () => {
  const manifest = 'models:\n  - { path: none.pkl, url: "https://example.com/x" }\n  - { path: a.pkl }\n';
  using step = createWorkspace({
    'models.yml': manifest.replace('}', `, sha256: ${sha256(BENIGN)} }`),
    'a.pkl': PAYLOAD,
  });
  const { failure, lines, outputs } = await step.verify({ manifest: 'models.yml', fetch: 'never' });
  expect(failure).toBe('2 of 2 models failed verification');
  const errors = lines.filter((line) => line.startsWith('::error'));
  expect(errors[0]).toMatch(/line=3.*os\.system/);
  expect(errors[1]).toMatch(/line=2.*none\.pkl: it is listed in "models\.yml" but is not there; it has a "url"/);
  expect(outputs.manifest).toHaveLength(2);
});

test.each([
  ['a[1].pkl', ['a[1].pkl']],
  ['./m/b.pkl', ['m/b.pkl']],
  ['m/', ['m/b.pkl', 'm/c.pkl']],
  ['m/[c].pkl', ['m/c.pkl']],
  ['*.pkl', ['a[1].pkl']],
  ['**/*.pkl', ['a[1].pkl', 'm/b.pkl', 'm/c.pkl']],
])('%s selects %j', async (pattern, paths) => {
  using step = createWorkspace({ 'a[1].pkl': BENIGN, 'm/b.pkl': BENIGN, 'm/c.pkl': BENIGN });
  const { outputs } = await step.verify({ models: pattern });
  expect(outputs.manifest).toMatchObject(paths.map((path) => ({ path })));
});

test('a folder means every file below it, hidden ones too, and nothing in it is passed over', async () => {
  using step = createWorkspace({ 'm/a.safetensors': WEIGHTS, 'm/deep/.hidden': PAYLOAD });
  symlinkSync('nowhere', join(step.workspace, 'm/link'));
  const { outputs } = await step.verify({ models: 'm' });
  expect(outputs.manifest).toMatchObject([
    { path: 'm/a.safetensors', findings: [] },
    { path: 'm/deep/.hidden', findings: [{ severity: 'dangerous' }] },
    { path: 'm/link', format: 'missing', findings: [{ rule: 'missing' }] },
  ]);
});
