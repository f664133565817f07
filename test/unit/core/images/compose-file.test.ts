import { describe, expect, it } from 'vitest';
import { readComposeFiles } from '../../../../src/core/images/compose-file.ts';
import { interpolate, readEnvironmentFile } from '../../../../src/core/images/compose-variables.ts';
import { snapshotOf } from './memory-snapshot.ts';

async function read(text: string, more: Record<string, string> = {}, file = 'compose.yml') {
  return readComposeFiles(snapshotOf({ [file]: text, ...more }), [file]);
}

const brief = ({ definitions }: Awaited<ReturnType<typeof read>>) =>
  definitions.map(({ image, context, dockerfile, target }) => [image, context, dockerfile, target]);

describe('compose files', () => {
  it.each<[string, string, unknown[][]]>([
    ['the short form', 'services:\n  a: { build: ./x }\n', [['a', 'x', 'x/Dockerfile', '']]],
    [
      'the long form',
      'services:\n  a: { build: { context: x, dockerfile: D, target: t } }\n',
      [['a', 'x', 'x/D', 't']],
    ],
    ['no context', 'services:\n  a: { build: { dockerfile: D } }\n', [['a', '.', 'D', '']]],
    ['stock services', 'services:\n  a: { image: redis }\n', []],
    [
      'a name that is none of a registry',
      'services:\n  My_App.API: { build: . }\n',
      [['my_app.api', '.', 'Dockerfile', '']],
    ],
    [
      'two services of one build',
      'services:\n  a: { build: . }\n  b: { build: { context: . } }\n',
      [['a', '.', 'Dockerfile', '']],
    ],
    [
      'two services of two targets',
      'services:\n  a: { build: { context: ., target: x } }\n  b: { build: { context: ., target: y } }\n',
      [
        ['a', '.', 'Dockerfile', 'x'],
        ['b', '.', 'Dockerfile', 'y'],
      ],
    ],
    [
      'a service that extends another',
      'services:\n  a: { build: x }\n  b: { extends: { service: a }, ports: [] }\n',
      [['a', 'x', 'x/Dockerfile', '']],
    ],
    [
      'variables with defaults',
      'services:\n  a: { build: { context: "${D:-x}", target: "${T-t}" } }\n',
      [['a', 'x', 'x/Dockerfile', 't']],
    ],
  ])('are read: %s', async (_, text, expected) => {
    expect(brief(await read(text))).toEqual(expected);
  });

  it('have contexts relative to their folder', async () => {
    const text = 'services:\n  a: { build: { context: .., dockerfile: ./docker/Dockerfile.a } }\n';
    expect(brief(await read(text, {}, 'docker/compose.yml'))).toEqual([['a', '.', 'docker/Dockerfile.a', '']]);
  });

  it('include others, whose contexts are relative to those', async () => {
    const text = 'include:\n  - sub/compose.yml\n  - path: [more.yml]\nservices:\n  a: { build: . }\n';
    const more = {
      'sub/compose.yml': 'services:\n  b: { build: ./y }\n',
      'more.yml': 'services:\n  c: { build: z }\n',
    };
    expect(brief(await read(text, more)).map(([image, context]) => [image, context])).toEqual([
      ['b', 'sub/y'],
      ['c', 'z'],
      ['a', '.'],
    ]);
  });

  it('extend a service of another file, whose context is relative to that', async () => {
    const text = 'services:\n  b: { extends: { file: base/c.yml, service: a } }\n';
    expect(brief(await read(text, { 'base/c.yml': 'services:\n  a: { build: ./x }\n' }))).toEqual([
      ['b', 'base/x', 'base/x/Dockerfile', ''],
    ]);
  });

  it('merge the builds of a service and of the one it extends', async () => {
    const { definitions } = await read(`services:
  base:
    image: base:1
    build: { context: x, dockerfile: D, target: t, args: { A: 1, B: 1 }, labels: { l: a }, platforms: [linux/arm64] }
  child: { extends: base, build: { target: u, args: [B=2], labels: { m: b } } }
  plain: { extends: { service: base }, image: plain:1 }
  inline: { extends: base, build: { dockerfile_inline: FROM x } }
`);
    const of = (image: string) => definitions.find((definition) => definition.image === image);
    expect(of('child')).toMatchObject({
      context: 'x',
      dockerfile: 'x/D',
      target: 'u',
      args: new Map([
        ['A', '1'],
        ['B', '2'],
      ]),
      platforms: ['linux/arm64'],
      build: { labels: { l: 'a', m: 'b' } },
    });
    expect(of('base')?.names).toEqual(['docker.io/library/base:1', 'docker.io/library/plain:1']);
    expect(of('inline')).toMatchObject({
      context: 'x',
      dockerfile: 'compose.yml',
      build: { 'dockerfile-inline': 'FROM x' },
    });
  });

  it('include with a folder and variables of their own; what the including project sets wins', async () => {
    const text = 'include:\n  - { path: deploy/c.yml, project_directory: app, env_file: deploy/ci.env }\n';
    const more = {
      '.env': 'OUTER=outer\n',
      'deploy/ci.env': 'INNER=inner\nOUTER=lost\n',
      'deploy/c.yml': 'services:\n  a: { build: { context: ./src, args: { I: "${INNER}", O: "$OUTER" } } }\n',
    };
    const { definitions } = await read(text, more);
    expect(definitions).toMatchObject([{ context: 'app/src' }]);
    expect(Object.fromEntries(definitions[0]?.args ?? [])).toEqual({ I: 'inner', O: 'outer' });
  });

  it('have contexts relative to the project directory, where one is given', async () => {
    const snapshot = snapshotOf({ 'deploy/compose.yml': 'services:\n  a: { build: ./app }\n', '.env': '' });
    const { definitions } = await readComposeFiles(snapshot, ['deploy/compose.yml'], '.');
    expect(definitions).toMatchObject([{ context: 'app' }]);
  });

  it('carry what else they say of a build, and name what only a workflow may give', async () => {
    const { definitions } = await read(`services:
  a:
    build:
      context: .
      labels: ["k=v", "unset=\${NOT_SET}"]
      network: host
      shm_size: 2gb
      ulimits: { nofile: { soft: 1, hard: 2 } }
      extra_hosts: ["h=1.2.3.4"]
      no_cache: "\${NO_CACHE:-false}"
      pull: true
      cache_from: [type=gha]
      secrets: [token]
      privileged: true
      x-own: 1
      later_key: 1
`);
    expect(definitions[0]?.build).toEqual({
      labels: { k: 'v' },
      network: 'host',
      'shm-size': '2gb',
      ulimits: ['nofile=1:2'],
      'extra-hosts': { h: '1.2.3.4' },
      'no-cache': false,
      pull: true,
    });
    expect(definitions[0]?.leftOut).toEqual(['cache_from', 'secrets', 'privileged', 'later_key']);
  });

  it.each<[string, string, string, string[]]>([
    ['a GPU file beside a plain one', 'gpu', 'FROM nvidia/cuda:12\n', ['w cpu D', 'w gpu G']],
    ['a CPU file beside one on a GPU base', 'cpu', 'FROM python\n', ['w gpu D', 'w cpu G']],
    ['a word that the base contradicts', 'cpu', 'FROM python:3\n', ['w  D', 'w cpu G']],
  ])('in pairs make variants: %s', async (_, word, dockerfile, expected) => {
    const isGpuBase = expected[0]?.startsWith('w gpu') === true;
    const files = {
      'compose.yml': 'services:\n  w: { build: { context: ., dockerfile: D } }\n  same: { build: ./s }\n',
      [`compose.${word}.yml`]:
        'services:\n  w: { build: { context: ., dockerfile: G } }\n  same: { build: ./s }\n  more: { build: ./m }\n',
      D: isGpuBase ? 'FROM nvidia/cuda:12\n' : 'FROM python\n',
      G: dockerfile,
    };
    const { definitions } = await readComposeFiles(snapshotOf(files), ['compose.yml', `compose.${word}.yml`]);
    const found = definitions.map(({ image, variant, dockerfile: file }) => `${image} ${variant} ${file}`);
    expect(found).toEqual([...expected, 'same  s/Dockerfile', 'more  m/Dockerfile']);
  });

  it('end when they include themselves', async () => {
    await expect(read('include: [compose.yml, compose.yml]\nservices: {}\n')).rejects.toThrow(
      /included 16 levels deep|more than 200/,
    );
    expect((await read('services:\n  a: { extends: a }\n')).refused).toMatchObject([
      { name: 'a', reason: expect.stringMatching(/extends services 16 levels deep/) },
    ]);
  });

  it('give arguments as a map or a list, and leave out those without a value', async () => {
    const { definitions } = await read(
      'services:\n  a: { build: { context: ., args: { A: 1, B: "${X:-x}", C: "${X}", D: } } }\n  b: { build: { context: ., args: [A=1=2, D, "E=${X}", F=] } }\n',
    );
    expect(definitions.map(({ args }) => Object.fromEntries(args))).toEqual([
      { A: '1', B: 'x' },
      { A: '1=2', F: '' },
    ]);
  });

  it('take variables from the .env beside them, and from nowhere else', async () => {
    const { definitions } = await read('services:\n  a: { build: { context: "$D", args: [HOME, V] } }\n', {
      '.env': 'D=x\nV="a b"\n',
    });
    expect(definitions).toMatchObject([{ context: 'x' }]);
    expect(Object.fromEntries(definitions[0]?.args ?? [])).toEqual({ V: 'a b' });
  });

  it('tell local names and named contexts', async () => {
    const { definitions } = await read(
      'services:\n  a: { image: "me/a:1", build: { context: ., tags: [a-tag], additional_contexts: { p: "service:b", i: "docker-image://alpine:3", f: ./f, r: "https://example.com/x.git" } } }\n  b: { image: "b:${MISSING}", build: ./b }\n',
    );
    expect(definitions[0]?.names).toEqual(['docker.io/me/a:1', 'docker.io/library/a-tag:latest']);
    expect(definitions[1]?.names).toEqual([]);
    expect(Object.fromEntries(definitions[0]?.contexts ?? [])).toEqual({
      p: { kind: 'local', image: 'b' },
      i: { kind: 'image', reference: 'alpine:3' },
      f: { kind: 'folder', path: 'f' },
      r: { kind: 'remote', address: 'https://example.com/x.git' },
    });
  });

  it.each<[string, string, number, RegExp]>([
    ['a remote context', 'services:\n  a:\n    build: https://github.com/o/r.git\n', 3, /no folder of this repository/],
    [
      'an inline Dockerfile that is too long',
      `services:\n  a:\n    build: { dockerfile_inline: "${'x'.repeat(9000)}" }\n`,
      3,
      /at most 8192 characters; write it to a file/,
    ],
    ['a context outside', 'services:\n  a:\n    build: ../x\n', 3, /no path inside/],
    ['a context that needs a variable', 'services:\n  a:\n    build: ${D}\n', 3, /needs D, which has no value here/],
  ])('refuse a service with the reason: %s', async (_, text, line, reason) => {
    expect(await read(text)).toMatchObject({
      definitions: [],
      refused: [{ name: 'a', file: 'compose.yml', line, reason: expect.stringMatching(reason) }],
    });
  });
});

describe('variables of compose files', () => {
  const variables = new Map([
    ['A', 'alpha'],
    ['EMPTY', ''],
  ]);
  it.each<[string, string, string[]]>([
    ['$A-${A}', 'alpha-alpha', []],
    ['$$A', '$A', []],
    ['${B:-${A}}', 'alpha', []],
    ['${EMPTY:-d}${EMPTY-d}', 'd', []],
    ['${A:+y}${B:+y}', 'y', []],
    ['${B}/$C', '/', ['B', 'C']],
    ['${B:?needed}', '', ['B']],
    ['a $ b ${', 'a $ b ${', []],
  ])('%s is %j', (text, value, unset) => {
    expect(interpolate(text, variables)).toEqual({ value, unset });
  });

  it('are read from .env', () => {
    expect(
      Object.fromEntries(readEnvironmentFile('# c\nA=1\nexport B="two words" # c\nC=\'x\'\nD=a b # c\nbroken\nE=\n')),
    ).toEqual({ A: '1', B: 'two words', C: 'x', D: 'a b', E: '' });
  });
});
