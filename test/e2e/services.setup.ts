import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { publishBaseImages } from '../harness/services/base-images.ts';
import { startCeph } from '../harness/services/ceph.ts';
import { startEngine } from '../harness/services/docker-engine.ts';
import { startRegistry } from '../harness/services/registry.ts';
import { EXAMPLES_HUB, HUB } from '../harness/world.ts';

/**
 * Starts the real services once for all end-to-end tests, and tells the tests of them through the environment.
 * A service that does not come up fails the run: an end-to-end part that is skipped shows nothing.
 */
export default async function startServices(): Promise<() => Promise<void>> {
  const log = (line: string): void => console.log(`[services] ${line}`);
  const folder = await mkdtemp(path.join(tmpdir(), 'slipway-e2e-'));
  const started = new AsyncDisposableStack();
  started.defer(() => rm(folder, { recursive: true, force: true }));
  try {
    const registry = started.use(await startRegistry({ folder: path.join(folder, 'registry'), log }));
    await publishBaseImages({ registry, images: [...HUB, ...EXAMPLES_HUB], log });
    const mirror = `http://${registry.host}`;
    const engine = started.use(await startEngine({ folder: path.join(folder, 'engine'), mirror, log }));
    const ceph = started.use(await startCeph({ folder: path.join(folder, 'ceph'), log }));
    Object.assign(process.env, engine.environment, {
      SLIPWAY_REGISTRY: registry.host,
      SLIPWAY_BASE_IMAGE: `${registry.host}/library/alpine:3.19`,
      SLIPWAY_S3_ENDPOINT: ceph.endpoint,
      SLIPWAY_S3_ACCESS_KEY_ID: ceph.accessKeyId,
      SLIPWAY_S3_SECRET_ACCESS_KEY: ceph.secretAccessKey,
    });
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
  return () => started.disposeAsync();
}
