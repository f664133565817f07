import { describe, expect, it } from 'vitest';
import { parseSource, registryCredentials } from '../../../../src/actions/frontend-s3-deploy/source.ts';
import { readEvent } from '../../../../src/core/runner/event.ts';

describe('parseSource', () => {
  it.each([
    ['dist', { kind: 'folder', path: 'dist' }],
    ['image: ghcr.io/o/r:1.2:/app/dist', { kind: 'image', reference: 'ghcr.io/o/r:1.2', path: '/app/dist' }],
    ['image:127.0.0.1:5000/site:/srv', { kind: 'image', reference: '127.0.0.1:5000/site', path: '/srv' }],
  ])('reads %s', (text, expected) => {
    expect(parseSource(text)).toEqual(expected);
  });
  it.each(['image: ghcr.io/o/r', 'image: :/x'])('refuses %s', (text) => {
    expect(() => parseSource(text)).toThrow('image: REFERENCE:/path');
  });
});

describe("the job's token", () => {
  const event = (server: string) => readEvent({ GITHUB_SERVER_URL: server, GITHUB_ACTOR: 'octocat' });
  const access = { platform: 'linux/amd64', username: undefined, password: 'token', limits: { files: 1, bytes: 1 } };
  it.each([
    ['https://github.com', 'ghcr.io', true],
    ['https://github.com', 'containers.github.com', false],
    ['https://github.com', 'docker.io', false],
    ['https://ghe.example.com', 'containers.ghe.example.com', true],
    ['https://octocorp.ghe.com', 'containers.octocorp.ghe.com', true],
    ['https://ghe.example.com', 'ghcr.io', false],
    ['https://ghe.example.com', 'containers.evil.example.com', false],
  ])('of %s is shown to %s: %s', (server, registry, isShown) => {
    const expected = isShown ? { username: 'octocat', password: 'token' } : undefined;
    expect(registryCredentials(registry, access, event(server))).toEqual(expected);
  });
  it('goes to any registry together with a username', () => {
    const named = { ...access, username: 'robot' };
    expect(registryCredentials('docker.io', named, event('https://github.com'))?.username).toBe('robot');
  });
});
