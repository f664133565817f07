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
    ['docker', false, false],
    ['docker', true, true],
    ['docker-container', false, true],
    ['remote', false, true],
  ])('of driver %s, with containerd %s, can export: %s', (driver, hasContainerdStore, expected) => {
    expect(isCapable({ ...parseBuilder(text), driver, hasContainerdStore })).toBe(expected);
  });
});
