import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LEFT_OUT_KEYS } from '../../../../src/core/images/build-options.ts';
import { readConfigFile } from '../../../../src/core/images/config-file.ts';
import { CONFIG_KEYS, configSchema } from '../../../../src/core/images/config-keys.ts';

const read = (text: string) => readConfigFile(text, '.github/images.yml');

/** A value of each key, and where it is found in the definition. */
const VALUES: Readonly<Record<string, [value: string, expected: object]>> = {
  context: ['x', { context: 'x' }],
  dockerfile: ['D', { dockerfile: 'D' }],
  dockerfile_inline: ['"FROM scratch"', { build: { 'dockerfile-inline': 'FROM scratch' } }],
  target: ['t', { target: 't' }],
  args: ['[A=1]', { args: new Map([['A', '1']]) }],
  additional_contexts: ['{ c: ./c }', { contexts: new Map([['c', { kind: 'folder', path: 'c' }]]) }],
  platforms: ['[linux/arm64]', { platforms: ['linux/arm64'] }],
  tags: ['[a:1]', { names: ['docker.io/library/a:1'] }],
  labels: ['{ l: 1 }', { build: { labels: { l: '1' } } }],
  network: ['none', { build: { network: 'none' } }],
  shm_size: ['2gb', { build: { 'shm-size': '2gb' } }],
  ulimits: ['{ nproc: 5, nofile: { soft: 1, hard: 2 } }', { build: { ulimits: ['nproc=5:5', 'nofile=1:2'] } }],
  extra_hosts: ['["h:1.2.3.4", "v6=::1"]', { build: { 'extra-hosts': { h: '1.2.3.4', v6: '::1' } } }],
  no_cache: ['true', { build: { 'no-cache': true } }],
  pull: ['false', { build: { pull: false } }],
  runner: ['r', { runner: 'r' }],
  needs: ['b', { needs: ['b'] }],
  models: ['[m.pt]', { models: ['m.pt'] }],
  only: ['[src]', { only: ['src'] }],
  ignore: ['[docs]', { ignore: ['docs'] }],
  export: ['/dist', { export: '/dist' }],
  suffix: ['-s', { suffix: '-s' }],
  'cache-mode': ['min', { cacheMode: 'min' }],
  'free-disk-space': ['true', { freeDiskSpace: true }],
};

describe('every key of an image', () => {
  it.each(Object.keys(CONFIG_KEYS))('%s is read, on the image and on a variant', (key) => {
    const [value, expected] = VALUES[key] ?? ['', { nothing: true }];
    expect(read(`images:\n  a: { ${key}: ${value} }\n`)).toMatchObject([expected]);
    expect(read(`images:\n  a: { variants: { v: { ${key}: ${value} } } }\n`)).toMatchObject([expected]);
  });

  it.each([...LEFT_OUT_KEYS])('%s is refused with what to do instead', (key, instead) => {
    expect(() => read(`images:\n  a:\n    ${key}: x\n`)).toThrow(
      expect.objectContaining({
        message: `"${key}" is not for image definitions: ${instead}`,
        place: { file: '.github/images.yml', line: 3 },
      }),
    );
  });

  it('an inline Dockerfile gives way to a file that a variant names', () => {
    const [cpu, gpu] = read(
      'images:\n  a:\n    dockerfile_inline: FROM x\n    labels: { a: 1, b: 1 }\n    variants:\n      cpu: {}\n      gpu: { dockerfile: D, labels: { b: 2 } }\n',
    );
    expect(cpu?.build).toEqual({ 'dockerfile-inline': 'FROM x', labels: { a: '1', b: '1' } });
    expect([gpu?.dockerfile, gpu?.build]).toEqual(['D', { labels: { a: '1', b: '2' } }]);
    expect(() => read('images: { a: { dockerfile: D, dockerfile_inline: FROM x } }\n')).toThrow(/absent beside/);
  });
});

it('the published schema says what the reader takes', () => {
  const file = join(import.meta.dirname, '../../../../docs/images.schema.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(configSchema());
});
