import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readBakeDefinition } from '../../../../src/core/images/bake-file.ts';
import { createPrintBake } from '../../../../src/core/images/print-bake.ts';
import { CommandError, type CommandOptions } from '../../../../src/core/runner/command.ts';
import { snapshotOf } from './memory-snapshot.ts';

/** As buildx 0.29 printed it for a file with a group, a matrix, `inherits` and a target that others name. */
const PRINTED = JSON.stringify({
  group: { default: { targets: ['api', 'gpu'] }, api: { targets: ['api-1', 'api-2'] } },
  target: {
    'api-1': {
      context: 'app',
      contexts: { d: './data', i: 'docker-image://alpine', parent: 'target:Base' },
      dockerfile: 'Dockerfile',
      args: { A: 'x$${HOME}', T: 'none' },
      labels: { a: 'b' },
      'cache-to': [{ scope: 'x', type: 'gha' }],
      platforms: ['linux/amd64', 'linux/arm64'],
    },
    Base: {
      context: '.',
      dockerfile: 'docker/Dockerfile.base',
      tags: ['mlprod.node:1.0'],
      output: [{ type: 'cacheonly' }],
    },
    gpu: {
      attest: [{ type: 'sbom' }],
      context: '.',
      dockerfile: 'Dockerfile',
      'dockerfile-inline': 'FROM scratch\nCOPY a /\n',
      'no-cache': true,
      'shm-size': '2g',
      ulimits: ['nofile=1:2'],
      entitlements: ['network.host'],
      'extra-hosts': { h: '1.2.3.4' },
    },
  },
});

describe('what bake prints', () => {
  const { definitions, refused } = readBakeDefinition(PRINTED, 'docker-bake.hcl');

  it('is one image a target, with contexts, names, platforms and all else of the build', () => {
    expect(refused).toEqual([]);
    const [api, base, gpu] = definitions;
    expect(api).toMatchObject({
      image: 'api-1',
      context: 'app',
      dockerfile: 'app/Dockerfile',
      platforms: ['linux/amd64', 'linux/arm64'],
      build: { labels: { a: 'b' } },
      leftOut: ['cache-to'],
    });
    expect(Object.fromEntries(api?.args ?? [])).toEqual({ A: 'x${HOME}', T: 'none' });
    expect(Object.fromEntries(api?.contexts ?? [])).toEqual({
      d: { kind: 'folder', path: 'data' },
      i: { kind: 'image', reference: 'alpine' },
      parent: { kind: 'local', image: 'base' },
    });
    expect(base).toMatchObject({
      image: 'base',
      dockerfile: 'docker/Dockerfile.base',
      names: ['docker.io/library/mlprod.node:1.0'],
      leftOut: [],
    });
    expect(gpu).toMatchObject({
      dockerfile: 'docker-bake.hcl',
      leftOut: ['entitlements', 'attest'],
      build: {
        'dockerfile-inline': 'FROM scratch\nCOPY a /\n',
        'no-cache': true,
        'shm-size': '2g',
        ulimits: ['nofile=1:2'],
        'extra-hosts': { h: '1.2.3.4' },
      },
    });
  });

  it.each([
    ['no JSON', 'x', /is no JSON/],
    ['no target', '{"group":{}}', /bake found no target/],
  ])('is refused when it is %s', (_, text, message) => {
    expect(() => readBakeDefinition(text, 'docker-bake.hcl')).toThrow(message);
  });

  it('loses only the targets that cannot be built', () => {
    const target = { a: { context: 'https://example.com/x.git' }, b: { context: '../up' }, c: {} };
    const found = readBakeDefinition(JSON.stringify({ target }), 'docker-bake.json');
    expect(found.definitions.map(({ image }) => image)).toEqual(['c']);
    expect(found.refused.map(({ reason }) => reason)).toEqual([
      'the target "a": the context "https://example.com/x.git" is no folder of this repository',
      'the target "b": "../up" is no path inside the repository',
    ]);
  });
});

describe('bake itself', () => {
  const snapshot = snapshotOf({ 'docker-bake.hcl': 'target "a" {}\n' });
  const environment = { PATH: '/bin', HOME: '/home/me', GITHUB_TOKEN: 'ghs_secret', DOCKER_CONFIG: '/c' };

  it('sees the files of the commit, and nothing of the environment but where docker is', async () => {
    const calls: { args: readonly string[]; env: CommandOptions['env'] }[] = [];
    const print = createPrintBake(
      async (_file, args, options) => {
        calls.push({ args, env: options?.env });
        return { exitCode: 0, stdout: PRINTED, stderr: '' };
      },
      tmpdir(),
      environment,
    );
    expect(await print(snapshot, ['docker-bake.hcl'])).toBe(PRINTED);
    const bake = ['buildx', 'bake', '--file', 'docker-bake.hcl', '--print', '--set', '*.secrets=', '--set', '*.ssh='];
    expect(calls).toEqual([{ args: bake, env: { PATH: '/bin', HOME: '/home/me', DOCKER_CONFIG: '/c' } }]);
  });

  it.each<[string, { exitCode?: number; stderr?: string }, RegExp, number]>([
    ['docker is absent', {}, /this runner has no docker with buildx .*; use a runner that has it, or write/, 0],
    [
      'buildx is absent',
      { exitCode: 1, stderr: "docker: 'buildx' is not a docker command." },
      /no docker with buildx/,
      0,
    ],
    [
      'the file is wrong',
      { exitCode: 1, stderr: '#1 DONE\nERROR: docker-bake.hcl:5,55-6,1: Invalid block definition' },
      /^bake cannot read "docker-bake.hcl": docker-bake.hcl:5,55-6,1: Invalid block definition$/,
      5,
    ],
  ])('that fails is a clear error: %s', async (_, how, message, line) => {
    const print = createPrintBake(
      async () => {
        throw new CommandError('docker buildx could not be started: spawn docker ENOENT', how);
      },
      tmpdir(),
      environment,
    );
    await expect(print(snapshot, ['docker-bake.hcl'])).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(message),
      place: { file: 'docker-bake.hcl', ...(line === 0 ? {} : { line }) },
    });
  });
});
