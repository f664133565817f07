import { describe, expect, test } from 'vitest';
import {
  formatReference,
  isLoopback,
  parseReference,
  parseRepository,
  registryOrigin,
} from '../../../../src/core/registry/reference.ts';
import { ConfigurationError } from '../../../../src/core/runner/errors.ts';

const HEX = 'a'.repeat(64);

describe('parseReference', () => {
  test.each([
    ['ghcr.io/Acme/My-App:V1', { registry: 'ghcr.io', name: 'acme/my-app', tag: 'V1' }],
    ['GHCR.IO/a/b', { registry: 'ghcr.io', name: 'a/b' }],
    ['127.0.0.1:5000/bb:1', { registry: '127.0.0.1:5000', name: 'bb', tag: '1' }],
    ['localhost/a', { registry: 'localhost', name: 'a' }],
    ['localhost:5000/a/b', { registry: 'localhost:5000', name: 'a/b' }],
    ['busybox', { registry: 'docker.io', name: 'library/busybox' }],
    ['acme/app:1', { registry: 'docker.io', name: 'acme/app', tag: '1' }],
    ['index.docker.io/busybox', { registry: 'docker.io', name: 'library/busybox' }],
    [`ghcr.io/a/b@sha256:${HEX}`, { registry: 'ghcr.io', name: 'a/b', digest: `sha256:${HEX}` }],
    [`ghcr.io/a/b:1@sha256:${HEX}`, { registry: 'ghcr.io', name: 'a/b', tag: '1', digest: `sha256:${HEX}` }],
  ])('reads %s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
    expect(parseReference(formatReference(parseReference(text)))).toEqual(expected);
  });

  test.each([
    ['https://ghcr.io/a/b', 'scheme'],
    ['ghcr.io/a/my app', 'names no repository'],
    ['ghcr.io/a//b', 'names no repository'],
    ['ghcr.io/../b', 'names no repository'],
    ['ghcr.io/a/b:', 'the tag ""'],
    ['ghcr.io/a/b:-x', 'the tag "-x"'],
    [`ghcr.io/a/b:${'x'.repeat(129)}`, 'the tag'],
    ['ghcr.io/a/b@sha256:abc', 'after @'],
    [`ghcr.io/a/b@sha256:${HEX}@x`, 'after @'],
    ['ghcr.io:x/a/b', 'no registry host'],
    [`ghcr.io/${'a'.repeat(300)}`, 'names no repository'],
    ['', 'names no repository'],
  ])('refuses %j', (text, message) => {
    expect(() => parseReference(text)).toThrow(message);
    expect(() => parseReference(text)).toThrow(ConfigurationError);
  });

  test('puts names without a host into the given registry', () => {
    expect(parseRepository('acme/app', 'ghcr.io')).toEqual({ registry: 'ghcr.io', name: 'acme/app' });
  });
});

describe('registryOrigin', () => {
  test.each([
    ['ghcr.io', 'https://ghcr.io'],
    ['docker.io', 'https://registry-1.docker.io'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000'],
    ['localhost', 'http://localhost'],
    ['127.0.0.1.evil.test', 'https://127.0.0.1.evil.test'],
    ['localhost.evil.test', 'https://localhost.evil.test'],
  ])('of %s is %s: plain HTTP to this machine alone', (registry, origin) => {
    expect(registryOrigin(registry)).toBe(origin);
    expect(isLoopback(registry)).toBe(origin.startsWith('http:'));
  });
});
