import { describe, expect, it } from 'vitest';
import { normaliseReference, toImageName } from '../../../../src/core/images/definition.ts';
import { type DiscoveryOptions, discoverImages } from '../../../../src/core/images/discover.ts';
import { isGpuImage } from '../../../../src/core/images/gpu.ts';
import { snapshotOf } from './memory-snapshot.ts';

function discover(files: Record<string, string>, options: Partial<DiscoveryOptions> = {}, ignored: string[] = []) {
  return discoverImages(snapshotOf(files), {
    config: undefined,
    source: 'auto',
    files: [],
    projectDirectory: undefined,
    repository: 'app',
    printBake: async () => {
      throw new Error('bake is not asked');
    },
    gitIgnored: async (paths) => new Set(paths.filter((path) => ignored.includes(path))),
    ...options,
  });
}

const D = 'FROM scratch\n';

describe('where images come from', () => {
  const all = {
    '.github/images.yml': 'images: { c: {} }\n',
    'compose.yml': 'services: { s: { build: . } }\n',
    Dockerfile: D,
  };
  it.each<[string, Record<string, string>, Partial<DiscoveryOptions>, string, string[]]>([
    ['the configuration first', all, {}, 'config', ['c']],
    ['then compose', { ...all, '.github/images.yml': '' }, { source: 'compose' }, 'compose', ['s']],
    ['compose without a configuration', { 'compose.yml': all['compose.yml'], Dockerfile: D }, {}, 'compose', ['s']],
    [
      'Dockerfiles where compose builds nothing',
      { 'compose.yml': 'services: { r: { image: redis } }\n', Dockerfile: D },
      {},
      'dockerfiles',
      ['app'],
    ],
    [
      'bake files before compose',
      { 'docker-bake.hcl': '', 'docker-bake.override.hcl': '', 'compose.yml': all['compose.yml'], Dockerfile: D },
      {
        printBake: async (_, files) => JSON.stringify({ target: Object.fromEntries(files.map((file) => [file, {}])) }),
      },
      'bake',
      ['docker-bake.hcl', 'docker-bake.override.hcl'],
    ],
    ['Dockerfiles alone', { Dockerfile: D }, {}, 'dockerfiles', ['app']],
    ['the source that is asked for', all, { source: 'dockerfiles' }, 'dockerfiles', ['app']],
    ['a configuration of another name', { 'my.yml': 'images: { m: {} }\n' }, { config: 'my.yml' }, 'config', ['m']],
    [
      'a compose file that is named',
      { 'deploy/stack.yml': 'services: { d: { build: . } }\n' },
      { files: ['deploy/*.yml'] },
      'compose',
      ['d'],
    ],
    [
      'Dockerfiles that are named',
      { 'vendor/x/Dockerfile': D, Dockerfile: D },
      { files: ['vendor/x/Dockerfile'] },
      'dockerfiles',
      ['x'],
    ],
    [
      'a compose file below the root',
      { 'docker/docker-compose.yml': 'services: { s: { build: .. } }\n' },
      {},
      'compose',
      ['s'],
    ],
  ])('%s', async (_, files, options, source, images) => {
    const found = await discover(files, options);
    expect([found.source, found.definitions.map(({ image }) => image)]).toEqual([source, images]);
  });

  it.each<[string, Partial<DiscoveryOptions>, RegExp]>([
    ['a configuration that is not there', { config: 'gone.yml' }, /no file "gone.yml"/],
    ['a configuration that is asked for', { source: 'config' }, /no file ".github\/images.yml"/],
    ['no bake file', { source: 'bake' }, /no bake file/],
    ['no compose file', { source: 'compose' }, /no compose file/],
    ['files that are not there', { files: ['gone/*'] }, /names "gone\/\*"/],
  ])('refuse %s', async (_, options, message) => {
    await expect(discover({ Dockerfile: D }, options)).rejects.toThrow(message);
  });
});

describe('plain Dockerfiles', () => {
  const named = async (files: Record<string, string>) =>
    (await discover(files)).definitions.map(({ image, variant, context, dockerfile }) => [
      dockerfile,
      image,
      variant,
      context,
    ]);

  it.each<[string, Record<string, string>, string[][]]>([
    [
      'names of every form',
      {
        'x/Dockerfile': D,
        'x/Dockerfile.api': D,
        'x/Dockerfile_web': D,
        'x/Dockerfile-job': D,
        'x/db.Dockerfile': D,
        'x/lint.dockerfile': D,
        'y/Containerfile': D,
        'x/f': '',
        'y/f': '',
      },
      [
        ['x/Dockerfile', 'x', '', 'x'],
        ['x/Dockerfile-job', 'job', '', 'x'],
        ['x/Dockerfile.api', 'api', '', 'x'],
        ['x/Dockerfile_web', 'web', '', 'x'],
        ['x/db.Dockerfile', 'db', '', 'x'],
        ['x/lint.dockerfile', 'lint', '', 'x'],
        ['y/Containerfile', 'y', '', 'y'],
      ],
    ],
    [
      'no files that are none',
      {
        'Dockerfile.svg': '',
        'Dockerfile.dockerignore': '',
        'Dockerfile.j2': '',
        Dockerfiles: '',
        'node_modules/a/Dockerfile': D,
        'vendor/Dockerfile': D,
        'examples/a/Dockerfile': D,
      },
      [],
    ],
    [
      'variants by name',
      { 'b/Dockerfile_CPU': D, 'b/Dockerfile.gpu': D, 'b/api.cuda12.Dockerfile': D, 'b/f': '' },
      [
        ['b/Dockerfile.gpu', 'b', 'gpu', 'b'],
        ['b/Dockerfile_CPU', 'b', 'cpu', 'b'],
        ['b/api.cuda12.Dockerfile', 'api', 'cuda12', 'b'],
      ],
    ],
    [
      'a variant by base image beside one by name',
      {
        'b/Dockerfile': 'FROM tensorflow/tensorflow:2.9.2-gpu\n',
        'b/Dockerfile_CPU': 'FROM tensorflow/tensorflow:2.9.2\n',
        'b/f': '',
      },
      [
        ['b/Dockerfile', 'b', 'gpu', 'b'],
        ['b/Dockerfile_CPU', 'b', 'cpu', 'b'],
      ],
    ],
    [
      'a variant by folder, unless the base image contradicts',
      {
        's/cpu/Dockerfile': 'FROM nvidia/cuda:12\n',
        's/gpu/Dockerfile': 'FROM nvidia/cuda:12\n',
        's/cpu/f': '',
        's/gpu/f': '',
      },
      [
        ['s/cpu/Dockerfile', 's-cpu', '', 's/cpu'],
        ['s/gpu/Dockerfile', 's', 'gpu', 's/gpu'],
      ],
    ],
    [
      'variants by an argument that selects a stage',
      {
        'm/Dockerfile':
          'ARG DEVICE=cpu\nFROM python AS base-cpu\nFROM nvidia/cuda:12 AS base-cuda12\nFROM base-${DEVICE}\n',
        'm/f': '',
      },
      [
        ['m/Dockerfile', 'm', 'cpu', 'm'],
        ['m/Dockerfile', 'm', 'cuda12', 'm'],
      ],
    ],
    [
      'variants by an argument whose default is cpu or gpu, and by no other',
      {
        'm/Dockerfile': 'ARG KIND="gpu"\nFROM x/y:1-${KIND}\n',
        'm/f': '',
        'n/Dockerfile': 'ARG VERSION=3\nFROM python:${VERSION}\n',
        'n/f': '',
      },
      [
        ['m/Dockerfile', 'm', 'cpu', 'm'],
        ['m/Dockerfile', 'm', 'gpu', 'm'],
        ['n/Dockerfile', 'n', '', 'n'],
      ],
    ],
    [
      'no files of projects that were copied in, by their licence or by .gitattributes',
      {
        LICENSE: 'ours',
        'lib/solver/LICENSE.txt': 'theirs',
        'lib/solver/docker/Dockerfile': D,
        'lib/solver/docker/f': '',
        'packages/own/LICENSE': 'ours',
        'packages/own/Dockerfile': D,
        '.gitattributes': '# x\nlegacy/** linguist-vendored\nlegacy/kept/** -linguist-vendored\n*.py text\n',
        'legacy/a/Dockerfile': D,
        'legacy/kept/Dockerfile': D,
      },
      [
        ['legacy/kept/Dockerfile', 'kept', '', '.'],
        ['packages/own/Dockerfile', 'own', '', 'packages/own'],
      ],
    ],
    ['the repository for a generic folder', { 'docker/Dockerfile': D, f: '' }, [['docker/Dockerfile', 'app', '', '.']]],
    [
      'folders where two have one name',
      { 'a/svc/Dockerfile': D, 'b/svc/Dockerfile': D, 'a/svc/f': '', 'b/svc/f': '' },
      [
        ['a/svc/Dockerfile', 'a-svc', '', 'a/svc'],
        ['b/svc/Dockerfile', 'b-svc', '', 'b/svc'],
      ],
    ],
  ])('are read by %s', async (_, files, expected) => {
    expect(await named(files)).toEqual(expected);
  });

  it('take the nearest folder where all sources exist', async () => {
    const files = {
      'docker/Dockerfile.one': 'FROM a\nCOPY run.sh /\n',
      'docker/Dockerfile.two': 'FROM a\nCOPY src/main.py docker/run.sh /\n',
      'docker/Dockerfile.three': 'FROM a\nCOPY *.toml /\nCOPY src /x\n',
      'docker/run.sh': '',
      'src/main.py': '',
      'p.toml': '',
    };
    expect((await named(files)).map(([file, , , context]) => [file, context])).toEqual([
      ['docker/Dockerfile.one', 'docker'],
      ['docker/Dockerfile.three', '.'],
      ['docker/Dockerfile.two', '.'],
    ]);
  });

  it('are refused with the reason where no folder fits', async () => {
    const { definitions, refused } = await discover({
      'docker/Dockerfile.x': 'FROM a\n\nCOPY run.sh gone /\n',
      'docker/run.sh': '',
    });
    expect(definitions).toEqual([]);
    expect(refused).toEqual([
      {
        name: 'docker/Dockerfile.x',
        file: 'docker/Dockerfile.x',
        line: 3,
        reason:
          'no folder can be the context: "gone" (line 3) is not in "docker"; "run.sh" (line 3) is not in the root',
      },
    ]);
  });

  it('that are passed over are named, with the reason', async () => {
    const { passedOver } = await discover({ 'vendor/x/Dockerfile': D, 'node_modules/y/Dockerfile': D, Dockerfile: D });
    expect(passedOver).toEqual([{ file: 'vendor/x/Dockerfile', reason: 'it lies in "vendor"' }]);
  });

  it('take a folder whose missing sources git ignores', async () => {
    const { definitions } = await discover({ 'm/Dockerfile': 'FROM a\nCOPY models /m\n', 'm/f': '' }, {}, ['m/models']);
    expect(definitions).toMatchObject([{ context: 'm' }]);
  });

  it.each<[string, string, RegExp]>([
    ['0 bytes', '', /is empty/],
    ['no FROM', 'RUN x\n', /has no FROM/],
  ])('are reported when they are odd: %s', async (_, text, reason) => {
    expect((await discover({ Dockerfile: text })).refused).toMatchObject([
      { file: 'Dockerfile', reason: expect.stringMatching(reason) },
    ]);
  });
});

describe('names', () => {
  it.each([
    ['nvidia/cuda:12.4-runtime', true],
    ['docker.io/nvidia/cuda:12', true],
    ['nvcr.io/nvidia/pytorch:24.01', true],
    ['tensorflow/tensorflow:2.9.2-gpu', true],
    ['pytorch/pytorch:2.4-cuda12.4-cudnn9-runtime', true],
    ['rocm/pytorch:latest', true],
    ['tensorflow/tensorflow:2.9.2', false],
    ['python:3.12-slim', false],
    ['localhost:5000/app', false],
    ['ghcr.io/o/gpuless:1', false],
  ])('%s is an image for GPUs: %s', (reference, expected) => {
    expect(isGpuImage(reference)).toBe(expected);
  });

  it.each([
    ['node', 'docker.io/library/node:latest'],
    ['node:22', 'docker.io/library/node:22'],
    ['me/node', 'docker.io/me/node:latest'],
    ['ghcr.io/o/n:1', 'ghcr.io/o/n:1'],
    ['localhost:5000/n', 'localhost:5000/n:latest'],
    ['n@sha256:abc', 'docker.io/library/n@sha256:abc'],
    ['mlprod.node:1.0', 'docker.io/library/mlprod.node:1.0'],
  ])('%s is %s to a registry', (reference, expected) => {
    expect(normaliseReference(reference)).toBe(expected);
  });

  it.each([
    ['My App', 'my-app'],
    ['a__b', 'a__b'],
    ['a___b', 'a_b'],
    ['a.-b', 'a-b'],
    ['_x_', 'x'],
    ['ünïcode', 'n-code'],
    ['___', undefined],
  ])('%s is an image named %s', (text, expected) => {
    expect(toImageName(text)).toBe(expected);
  });
});
