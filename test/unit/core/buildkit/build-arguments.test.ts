import { describe, expect, it } from 'vitest';
import type { BakeTarget } from '../../../../src/core/buildkit/bake-definition.ts';
import { buildArguments } from '../../../../src/core/buildkit/build-arguments.ts';

const none = { cgroupParent: undefined, dockerfile: undefined };

describe('the arguments of docker buildx build', () => {
  it.each<[BakeTarget, readonly string[]]>([
    [{}, ['.']],
    [{ context: 'app', target: 'run' }, ['--target', 'run', 'app']],
    // As in bake, an argument without a value takes the environment's.
    [{ args: { A: 'x y', B: null } }, ['--build-arg', 'A=x y', '--build-arg', 'B', '.']],
    [{ contexts: { other: '../other' } }, ['--build-context', 'other=../other', '.']],
    [{ platforms: ['linux/amd64', 'linux/arm64'] }, ['--platform', 'linux/amd64,linux/arm64', '.']],
    [{ tags: ['a:1', 'a:2'] }, ['--tag', 'a:1', '--tag', 'a:2', '.']],
    [{ labels: { a: '1=2' }, annotations: ['index:b=1'] }, ['--label', 'a=1=2', '--annotation', 'index:b=1', '.']],
    [{ attest: ['type=sbom'] }, ['--attest', 'type=sbom', '.']],
    [
      { 'cache-from': ['type=gha'], 'cache-to': ['type=inline'] },
      ['--cache-from', 'type=gha', '--cache-to', 'type=inline', '.'],
    ],
    [{ output: ['type=local,dest=out'] }, ['--output', 'type=local,dest=out', '.']],
    [{ secret: ['id=a,env=A'], ssh: ['default'] }, ['--secret', 'id=a,env=A', '--ssh', 'default', '.']],
    [{ 'no-cache': true, pull: true }, ['--no-cache', '--pull', '.']],
    [{ 'no-cache': false, pull: false }, ['.']],
    [{ 'no-cache-filter': ['deps'] }, ['--no-cache-filter', 'deps', '.']],
    [{ network: 'none', 'shm-size': '1g' }, ['--network', 'none', '--shm-size', '1g', '.']],
    [
      { 'extra-hosts': { db: '10.0.0.1', v6: 'fd00::1' } },
      ['--add-host', 'db=10.0.0.1', '--add-host', 'v6=fd00::1', '.'],
    ],
    [
      { ulimits: ['nofile=1:2'], entitlements: ['network.host'] },
      ['--ulimit', 'nofile=1:2', '--allow', 'network.host', '.'],
    ],
  ])('for %j are %j', (target, expected) => {
    expect(buildArguments(target, none)).toEqual(expected);
  });

  it('name the Dockerfile from the working folder, and the control group', () => {
    const more = { cgroupParent: '/ci', dockerfile: 'docker/web.Dockerfile' };
    expect(buildArguments({ dockerfile: '../docker/web.Dockerfile', context: 'app' }, more)).toEqual([
      '--cgroup-parent',
      '/ci',
      '--file',
      'docker/web.Dockerfile',
      'app',
    ]);
  });
});
