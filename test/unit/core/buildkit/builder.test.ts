import { describe, expect, it } from 'vitest';
import { isCapable, parseBuilder } from '../../../../src/core/buildkit/builder.ts';

const text = `Name:          default
Driver:        docker
Last Activity: 2026-11-21 15:06:12 +0000 UTC

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.25.1
Platforms:        linux/amd64*, linux/arm64
Labels:
 org.mobyproject.buildkit.worker.moby.host-gateway-ip: 172.17.0.1
 org.mobyproject.buildkit.worker.snapshotter:          overlayfs
`;

describe('a builder', () => {
  it('is read from what buildx inspect prints', () => {
    expect(parseBuilder(text)).toMatchObject({
      name: 'default',
      driver: 'docker',
      buildkitVersion: 'v0.25.1',
      platforms: ['linux/amd64', 'linux/arm64'],
    });
  });

  it.each([
    ['of the engine, with the images in containerd', text, true],
    ['of the engine, with a classic store', text.replace(/^ .*snapshotter.*\n/m, ''), false],
    ['in a container, which has a snapshotter too', text.replace('docker', 'docker-container'), false],
  ])('%s, tells the store by its snapshotter', (_, told, expected) => {
    expect(parseBuilder(told).hasContainerdStore).toBe(expected);
  });

  it.each([
    ['docker', false, false],
    ['docker', true, true],
    ['docker-container', false, true],
    ['remote', false, true],
  ])('of driver %s, with containerd %s, can export: %s', (driver, hasContainerdStore, expected) => {
    expect(isCapable({ ...parseBuilder(text), driver, hasContainerdStore })).toBe(expected);
  });
});
