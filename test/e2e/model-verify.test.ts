import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { pushLayout } from '../../src/core/registry/push-layout.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { createWorkspace } from '../unit/actions/model-verify/verify-step.ts';
import { PAYLOAD } from '../unit/core/models/generators/pickle.ts';
import { safetensors } from '../unit/core/models/generators/tensors.ts';
import { keptLog } from '../unit/core/registry/kept-log.ts';
import { makeImage, makeIndex, makeLayer, temporaryFolder, writeLayout } from '../unit/core/registry/oci-layout.ts';
import { serviceAddress } from './service-address.ts';

const repository = `${serviceAddress('SLIPWAY_REGISTRY')}/model-verify-test/app`;
const WEIGHTS = safetensors({ w: { dtype: 'U8', shape: [16], data_offsets: [0, 16] } }, 16);
const sums = (bytes: Buffer): string => `${createHash('sha256').update(bytes).digest('hex')}  best.safetensors\n`;

/** Pushes an image with these files in /app/models, and returns its reference. */
async function push(files: Readonly<Record<string, string>>): Promise<string> {
  await using folder = await temporaryFolder();
  const entries = Object.entries(files).map(([name, content]) => ({ name: `app/models/${name}`, content }));
  const index = makeIndex([makeImage([await makeLayer(entries, 'zstd')], 'linux/amd64')]);
  await writeLayout(folder.path, index.manifest, [...index.manifests, ...index.blobs]);
  const { digest } = await pushLayout({
    layout: folder.path,
    repository,
    client: createRegistryClient(),
    log: keptLog(),
  });
  return `${repository}@${digest}`;
}

describe('the models inside of an image in a registry', () => {
  test('are held against a manifest of the workspace, without running the image', async () => {
    const image = `${await push({ 'best.safetensors': WEIGHTS.toString('latin1') })}:/app/models`;
    using step = createWorkspace({ 'release/SHA256SUMS': sums(WEIGHTS) });
    const given = { image, manifest: 'release/SHA256SUMS', require: 'checksum' };
    const { failure, outputs } = await step.verify(given, { DOCKER_CONFIG: '/nonexistent' });
    expect(failure).toBeUndefined();
    expect(outputs).toMatchObject({ verified: 1, manifest: [{ path: 'best.safetensors', format: 'safetensors' }] });
    step.write('release/SHA256SUMS', sums(PAYLOAD));
    expect((await step.verify(given, { DOCKER_CONFIG: '/nonexistent' })).failure).toBe(
      '1 of 1 models failed verification',
    );
  });

  test('are scanned like any other', async () => {
    const image = `${await push({ 'hidden.dat': PAYLOAD.subarray(2).toString('latin1') })}:/app/models`;
    using step = createWorkspace();
    const { outputs } = await step.verify({ image, models: '**/*' }, { DOCKER_CONFIG: '/nonexistent' });
    expect(outputs.manifest).toMatchObject([
      { path: 'hidden.dat', findings: expect.arrayContaining([expect.objectContaining({ severity: 'dangerous' })]) },
    ]);
  });
});
