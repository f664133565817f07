import type { BakeTarget } from './bake-definition.ts';

/**
 * The arguments of `docker buildx build` that mean the same as a bake target, for what bake has no attribute for.
 *
 * Source: buildx 0.29, commands/build.go and bake/bake.go (`toBuildOpt`). A Dockerfile's path counts from the working
 * folder here, and from the context in bake.
 */
export function buildArguments(
  target: BakeTarget,
  more: { readonly cgroupParent: string | undefined; readonly dockerfile: string | undefined },
): readonly string[] {
  const many = (flag: string, values: readonly string[] = []): readonly string[] =>
    values.flatMap((value) => [flag, value]);
  const pairs = (flag: string, values: Readonly<Record<string, string | null>> = {}): readonly string[] =>
    Object.entries(values).flatMap(([key, value]) => [flag, value === null ? key : `${key}=${value}`]);
  const one = (flag: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [flag, value];
  return [
    ...one('--cgroup-parent', more.cgroupParent),
    ...one('--file', more.dockerfile),
    ...one('--target', target.target),
    ...pairs('--build-arg', target.args),
    ...pairs('--build-context', target.contexts),
    ...one('--platform', target.platforms?.join(',')),
    ...many('--tag', target.tags),
    ...pairs('--label', target.labels),
    ...many('--annotation', target.annotations),
    ...many('--attest', target.attest),
    ...many('--cache-from', target['cache-from']),
    ...many('--cache-to', target['cache-to']),
    ...many('--output', target.output),
    ...many('--secret', target.secret),
    ...many('--ssh', target.ssh),
    ...(target['no-cache'] === true ? ['--no-cache'] : []),
    ...many('--no-cache-filter', target['no-cache-filter']),
    ...(target.pull === true ? ['--pull'] : []),
    ...one('--network', target.network),
    ...Object.entries(target['extra-hosts'] ?? {}).flatMap(([name, address]) => ['--add-host', `${name}=${address}`]),
    ...one('--shm-size', target['shm-size']),
    ...many('--ulimit', target.ulimits),
    ...many('--allow', target.entitlements),
    target.context ?? '.',
  ];
}
