import { describe, expect, it } from 'vitest';
import {
  type CacheMounts,
  fillTarget,
  findCacheMounts,
  keepTarget,
} from '../../../../src/core/buildkit/cache-mounts.ts';
import { parseDockerfile } from '../../../../src/core/dockerfile/stages.ts';

function find(text: string, more: { target?: string; args?: [string, string][]; contexts?: string[] } = {}) {
  return findCacheMounts(parseDockerfile(text, 'Dockerfile'), {
    target: more.target ?? '',
    args: new Map(more.args),
    platform: 'linux/amd64',
    contexts: new Set(more.contexts),
  });
}
const idsOf = (found: CacheMounts | undefined): readonly string[] => found?.mounts.map(({ id }) => id) ?? [];

describe('the cache mounts of a build', () => {
  it.each([
    ['pip', 'RUN --mount=type=cache,target=/root/.cache/pip pip install x', ['/root/.cache/pip']],
    ['npm, by its id', 'RUN --mount=type=cache,id=npm,target=/root/.npm npm ci', ['npm']],
    [
      'cargo, two of one instruction',
      'RUN --mount=type=cache,target=/usr/local/cargo/registry/ --mount=type=cache,dst=/app/target cargo build',
      ['/app/target', '/usr/local/cargo/registry'],
    ],
    [
      'apt, the same of two instructions once',
      'RUN --mount=type=cache,target=/var/cache/apt apt-get update\nRUN --mount=type=cache,target=/var/cache/apt true',
      ['/var/cache/apt'],
    ],
    ['none that starts from another stage’s files', 'RUN --mount=type=cache,from=x,target=/a true', []],
    ['none with a variable', 'ARG D=/a\nRUN --mount=type=cache,target=$D true', []],
    ['none of another kind', 'RUN --mount=type=bind,target=/a --mount=type=secret,id=b true', []],
    ['none whose name would reach a shell', 'RUN --mount=type=cache,id=a;b,target=/a true', []],
    ['none of an instruction that only looks like one', 'CMD --mount=type=cache,target=/a', []],
  ])('are those of %s', (_, lines, expected) => {
    expect(idsOf(find(`FROM node:22\n${lines}\n`))).toEqual(expected);
  });

  it('are those of the stages that the target is made of, on the base of the first of them', () => {
    const text = `ARG BASE=node:22
FROM \${BASE} AS deps
FROM deps AS site
RUN --mount=type=cache,target=/npm npm ci
FROM python:3 AS api
RUN --mount=type=cache,target=/pip pip install x
FROM scratch AS out
COPY --from=site /dist /
`;
    expect(find(text, { target: 'out' })).toMatchObject({ mounts: [{ id: '/npm' }], base: 'node:22' });
    expect(find(text, { target: 'out', args: [['BASE', 'node:24']] })?.base).toBe('node:24');
    expect(idsOf(find(text, { target: 'api' }))).toEqual(['/pip']);
    expect(find(text, { target: 'deps' })).toBeUndefined();
  });

  it('may stand on a named context, which has the name that the build gives it', () => {
    const text = 'FROM base\nRUN --mount=type=cache,target=/a true\n';
    expect(find(text, { contexts: ['base'] })?.base).toBe('base');
  });

  it('tell folders of different owners apart', () => {
    const text = `FROM a
RUN --mount=type=cache,target=/npm,uid=1000,gid=1000,mode=0700 npm ci
RUN --mount=type=cache,target=/npm true
`;
    expect(find(text)?.mounts).toEqual([
      { id: '/npm', owner: { uid: '1000', gid: '1000', mode: '0700' } },
      { id: '/npm', owner: {} },
    ]);
  });
});

describe('the builds that carry cache mounts', () => {
  const mounts: CacheMounts = { mounts: [{ id: '/npm', owner: { uid: '1000' } }], base: 'node:22' };
  const shared = { args: { A: '1' }, contexts: { other: 'x' }, platforms: ['linux/arm64'] };
  const lines = (text = ''): readonly string[] => text.split('\n');

  it('fill those that are empty, as root, without a network, and anew each time', () => {
    const target = fillTarget(mounts, shared, '/kept', 'run-1');
    expect(target).toMatchObject({
      context: '/kept',
      args: { A: '1', SLIPWAY_RUN: 'run-1' },
      contexts: { other: 'x' },
      platforms: ['linux/arm64'],
      output: ['type=cacheonly'],
    });
    const [, , base, user, argument, run] = lines(target['dockerfile-inline']);
    expect([base, user, argument]).toEqual(['FROM node:22 AS slipway-mounts', 'USER 0:0', 'ARG SLIPWAY_RUN']);
    expect(run).toMatch(/^RUN --network=none .*--mount=type=cache,id=\/npm,target=\S+,sharing=locked,uid=1000 /);
    expect(run).toContain('[ -z "$(ls -A "$mount")" ]');
  });

  it('keep them in a tar file, which holds owners and modes', () => {
    const target = keepTarget(mounts, shared, '/kept', 'run-1');
    expect(target.output).toEqual(['type=tar,dest=/kept/mounts.tar']);
    const text = lines(target['dockerfile-inline']);
    expect(text.at(-2)).toBe('COPY --from=slipway-mounts /slipway/kept /');
    // Filling and keeping mean the same folder by its name.
    const name = /\/slipway\/mounts\/([0-9a-f]{16})/.exec(text.join('\n'))?.[1] ?? 'none';
    expect(fillTarget(mounts, shared, '/kept', 'run-2')['dockerfile-inline']).toContain(name);
  });
});
