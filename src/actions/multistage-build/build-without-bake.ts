import type { BakeTarget } from '../../core/buildkit/bake-definition.ts';
import { buildArguments } from '../../core/buildkit/build-arguments.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { BuildInputs } from './contract.ts';
import type { ImageRequest } from './image-requests.ts';

/** Arguments of `docker buildx build`. */
export interface BuildAsBuild {
  readonly withCache: readonly string[];
  readonly withoutCache: readonly string[];
}

type Targets = Readonly<Record<string, BakeTarget>>;

/**
 * The build as one of `docker buildx build`, for what bake cannot do (buildx 0.29); undefined where it can all.
 *
 * It has no attribute for `cgroup-parent`. And it takes several hosts in another order each time, so that no step is
 * found in a cache (docker/buildx#3788): that is borne only where several targets are built at once.
 * Throws ConfigurationError for `cgroup-parent` with several targets.
 */
export function planAsBuild(
  { cgroupParent, file }: Pick<BuildInputs, 'cgroupParent' | 'file'>,
  requests: readonly ImageRequest[],
  targets: Targets,
  hasExports: boolean,
): BuildAsBuild | undefined {
  const [request] = requests;
  const target = targets[request?.name ?? ''] ?? {};
  if (cgroupParent === undefined && Object.keys(target['extra-hosts'] ?? {}).length < 2) return undefined;
  if (requests.length > 1 || hasExports || target['dockerfile-inline'] !== undefined) {
    if (cgroupParent === undefined) return undefined;
    throw new ConfigurationError('input "cgroup-parent" is for a build of one image from a file, without "export"');
  }
  const more = { cgroupParent, dockerfile: request?.row?.dockerfile ?? file };
  return {
    withCache: buildArguments(target, more),
    withoutCache: buildArguments(withoutCaches({ target })['target'] ?? {}, more),
  };
}

export function withoutCaches(targets: Targets): Targets {
  return Object.fromEntries(
    Object.entries(targets).map(([name, { 'cache-from': _from, 'cache-to': _to, ...rest }]) => [name, rest]),
  );
}
