import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../../src/core/runner/command.ts';
import { createWorkspace } from '../unit/actions/model-verify/verify-step.ts';
import { PAYLOAD } from '../unit/core/models/generators/pickle.ts';
import { safetensors } from '../unit/core/models/generators/tensors.ts';
import { temporaryFolder } from '../unit/core/registry/oci-layout.ts';
import { serviceAddress } from './service-address.ts';

const registry = serviceAddress('SLIPWAY_REGISTRY');
const baseImage = serviceAddress('SLIPWAY_BASE_IMAGE');
const NAME = 'model-images-test:ci';
const WEIGHTS = safetensors({ w: { dtype: 'U8', shape: [16], data_offsets: [0, 16] } }, 16);
const sums = (...names: readonly string[]): string =>
  names.map((name) => `${createHash('sha256').update(WEIGHTS).digest('hex')}  ${name}\n`).join('');

/** A stage with weights, and an image on it that hides, links and replaces: what is left is not what one layer holds. */
const DOCKERFILE = `FROM ${baseImage} AS models
COPY models /app/models
FROM models AS hostile
COPY payload.pkl /app/models/deep/hidden.dat
FROM models AS app
RUN mkdir -p /app/models/old && echo x > /app/models/old/x && echo y > /app/models/gone.safetensors
RUN rm -r /app/models/old /app/models/gone.safetensors && ln /app/models/best.safetensors /app/models/hard.safetensors && ln -s best.safetensors /app/models/soft.safetensors
ENTRYPOINT ["/bin/false"]
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  const files = { Dockerfile: DOCKERFILE, 'models/best.safetensors': WEIGHTS, 'payload.pkl': PAYLOAD };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    await writeFile(join(folder.path, name), content);
  }
});
afterAll(async () => {
  await runCommand('docker', ['image', 'rm', '--force', NAME]);
  await folder[Symbol.asyncDispose]();
});

const build = (target: string, ...more: readonly string[]) =>
  runCommand('docker', ['build', '--target', target, ...more, folder.path]);
const containers = async (): Promise<string> =>
  (await runCommand('docker', ['ps', '--all', '--quiet', '--no-trunc'])).stdout;

/** Verifies with an engine, or where there is none: a registry and a layout need none. */
async function verify(inputs: Readonly<Record<string, string>>, files = {}, isAlone = true) {
  using step = createWorkspace({ SHA256SUMS: sums('best.safetensors'), ...files });
  const none = { DOCKER_HOST: 'unix:///nonexistent', DOCKER_CONFIG: '/nonexistent', PATH: '/nonexistent' };
  const own = Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
  const result = await step.verify({ manifest: 'SHA256SUMS', require: 'checksum', ...inputs }, isAlone ? none : own);
  return { ...result, left: await readdir(step.temp) };
}

describe("an image of this machine's engine", () => {
  test('is verified as it would be run, and is not run', async () => {
    await build('app', '--tag', NAME);
    const before = await containers();
    const image = `local:${NAME}:/app/models`;
    const all = sums('best.safetensors', 'hard.safetensors', 'soft.safetensors');
    const { failure, outputs, left } = await verify({ image, models: '**/*' }, { SHA256SUMS: all }, false);
    expect(failure).toBeUndefined();
    expect(outputs.verified).toBe(3);
    expect(left.filter((name) => name.endsWith('-layout') || name.endsWith('.tar'))).toEqual([]);
    expect(await containers()).toBe(before);
  });

  test('fails for a file that its manifest does not list, and for one that is not there', async () => {
    const image = `local:${NAME}:/app/models`;
    const unlisted = await verify({ image, models: '**/*' }, {}, false);
    expect(unlisted.failure).toBe('2 of 3 models failed verification');
    const gone = await verify({ image }, { SHA256SUMS: sums('gone.safetensors') }, false);
    expect(gone.failure).toBe('1 of 1 models failed verification');
    expect(gone.summary).toContain('it is listed in "SHA256SUMS" but is not there');
    await expect(verify({ image: 'local:no-such-image:ci:/app/models' }, {}, false)).rejects.toThrow(
      'the engine gave no image "no-such-image:ci"',
    );
    await expect(verify({ image: `local:${NAME}:/nowhere` }, {}, false)).rejects.toThrow('has no folder "/nowhere"');
  });
});

describe('a build stage that is exported and never pushed', () => {
  test.each([
    ['a folder', ['tar=false']],
    ['a tar', ['compression=zstd', 'force-compression=true']],
    ['a tar of plain layers', ['compression=uncompressed', 'force-compression=true']],
  ])('is verified without an engine, as %s', async (kind, options) => {
    const name = kind.replaceAll(' ', '-');
    const out = join(folder.path, 'out', name);
    await mkdir(dirname(out), { recursive: true });
    await build('models', '--output', ['type=oci', `dest=${out}`, ...options].join(','));
    using step = createWorkspace({ SHA256SUMS: sums('best.safetensors') });
    await runCommand('cp', ['-r', out, join(step.workspace, 'stage')]);
    const given = { image: 'layout:stage:/app/models', manifest: 'SHA256SUMS', require: 'checksum' };
    const { failure, outputs } = await step.verify(given, { PATH: '/nonexistent' });
    expect(failure).toBeUndefined();
    expect(outputs).toMatchObject({ verified: 1, manifest: [{ path: 'best.safetensors', format: 'safetensors' }] });
  });

  test('fails for a payload in it, under whatever name', async () => {
    const out = join(folder.path, 'hostile.tar');
    await build('hostile', '--output', `type=oci,dest=${out}`);
    using step = createWorkspace();
    await runCommand('cp', [out, join(step.workspace, 'stage.tar')]);
    const { failure, outputs } = await step.verify({ image: 'layout:stage.tar:/app/models', models: '**/*' });
    expect(failure).toBe('1 of 2 models failed verification');
    expect(outputs.manifest).toMatchObject([
      { path: 'best.safetensors', findings: [] },
      { path: 'deep/hidden.dat', findings: [{ rule: 'pickle-import', severity: 'dangerous' }] },
    ]);
  });

  test('that is no layout, or stands outside of the workspace, is refused', async () => {
    await expect(verify({ image: 'layout:SHA256SUMS:/m' })).rejects.toThrow(/no tar archive|no OCI image layout/);
    await expect(verify({ image: 'layout:gone.tar:/m' })).rejects.toThrow('there is no image layout "gone.tar"');
    await expect(verify({ image: 'layout:../../../../../../etc/hostname:/m' })).rejects.toThrow(
      /leaves|no image layout/,
    );
  });
});

describe('an image of a registry', () => {
  test.each(['gzip', 'zstd', 'uncompressed'])('is read with layers in %s, for the platform asked for', async (how) => {
    const reference = `${registry}/model-images-test/app:${how}`;
    const output = `type=image,name=${reference},push=true,compression=${how},force-compression=true`;
    await build('models', '--platform', 'linux/amd64,linux/arm64', '--output', output);
    const image = `${reference}:/app/models`;
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      const { failure, outputs } = await verify({ image, platform });
      expect(failure).toBeUndefined();
      expect(outputs.verified).toBe(1);
    }
    await expect(verify({ image, platform: 'linux/s390x' })).rejects.toThrow(/its platforms are linux\/amd64/);
  });
});
