import type { RunCommand } from '../runner/command.ts';
import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';

/** A builder of buildx's, as it stands. */
export interface Builder {
  readonly name: string;
  /** `docker`, `docker-container`, `kubernetes`, `remote`, or a driver this code does not know. */
  readonly driver: string;
  readonly buildkitVersion: string | undefined;
  readonly platforms: readonly string[];
  /** `docker` driver only: the engine keeps images in containerd, which exports OCI layouts, caches and attestations. */
  readonly hasContainerdStore: boolean;
  /** Made by this run, and removed by it. */
  readonly isOwn: boolean;
}

export interface BuildxOptions {
  readonly runCommand: RunCommand;
  readonly env: Environment;
}

const INSPECT_DEADLINE = 60_000;
const BOOTSTRAP_DEADLINE = 300_000;

/** The builder of a name, or the current one. Throws ConfigurationError when there is none, or no buildx at all. */
export async function inspectBuilder(name: string | undefined, options: BuildxOptions): Promise<Builder> {
  const { runCommand, env } = options;
  const named = name === undefined ? [] : ['--builder', name];
  const result = await runCommand('docker', ['buildx', 'inspect', ...named], {
    env,
    deadline: INSPECT_DEADLINE,
    allowFailure: true,
  });
  if (result.exitCode !== 0) {
    throw new ConfigurationError(
      `there is no builder to build with: \`docker buildx inspect${name === undefined ? '' : ` --builder ${name}`}\` said: ${result.stderr.trim().slice(-500)}`,
    );
  }
  const builder = parseBuilder(result.stdout);
  if (builder.driver !== 'docker' || builder.hasContainerdStore) return builder;
  return { ...builder, hasContainerdStore: await hasContainerdStore(options) };
}

/** Reads the text of `docker buildx inspect`: there is no machine-readable form in buildx 0.29. */
export function parseBuilder(text: string): Builder {
  const field = (name: string): string | undefined => new RegExp(`^${name}:[ \\t]*(.+)$`, 'm').exec(text)?.[1]?.trim();
  return {
    name: field('Name') ?? 'default',
    driver: field('Driver') ?? 'docker',
    buildkitVersion: field('BuildKit version'),
    platforms: (field('Platforms') ?? '')
      .split(',')
      .map((platform) => platform.trim().replace(/\*$/, ''))
      .filter((platform) => platform !== ''),
    // The engine's BuildKit names a snapshotter of containerd's; with the classic store it has none (moby, builder-next).
    hasContainerdStore:
      field('Driver') === 'docker' && /^\s*org\.mobyproject\.buildkit\.worker\.snapshotter:/m.test(text),
    isOwn: false,
  };
}

/** Asked only where `buildx inspect` did not tell: each call of `docker` is a tenth of a second. */
async function hasContainerdStore({ runCommand, env }: BuildxOptions): Promise<boolean> {
  const { stdout } = await runCommand('docker', ['info', '--format', '{{json .DriverStatus}}'], {
    env,
    deadline: INSPECT_DEADLINE,
  });
  return stdout.includes('io.containerd.snapshotter');
}

/** True when the builder can export caches, attestations and OCI layouts: all but the engine's classic image store. */
export function isCapable(builder: Builder): boolean {
  return builder.driver !== 'docker' || builder.hasContainerdStore;
}

export interface NewBuilder {
  readonly name: string;
  readonly driver: 'docker-container' | 'remote' | 'kubernetes';
  readonly driverOptions: readonly string[];
  /** Path of a `buildkitd.toml`. */
  readonly config: string | undefined;
  /** A daemon's address for `remote`, a context for the others. */
  readonly endpoint: string | undefined;
}

/** Has buildx note a builder down; it starts with its first use, or by `bootBuilder`. The caller removes it. */
export async function createBuilder(builder: NewBuilder, { runCommand, env }: BuildxOptions): Promise<void> {
  const { name, driver, driverOptions, config, endpoint } = builder;
  const args = [
    ...['buildx', 'create', '--name', name, '--driver', driver],
    ...driverOptions.flatMap((option) => ['--driver-opt', option]),
    ...(config === undefined ? [] : ['--buildkitd-config', config]),
    ...(endpoint === undefined ? [] : [endpoint]),
  ];
  await runCommand('docker', args, { env, deadline: INSPECT_DEADLINE });
}

/** Starts a builder, for which its image may have to be pulled. */
export async function bootBuilder(name: string, { runCommand, env }: BuildxOptions): Promise<void> {
  await runCommand('docker', ['buildx', 'inspect', '--bootstrap', '--builder', name], {
    env,
    deadline: BOOTSTRAP_DEADLINE,
  });
}

/** Removes a builder that this run created. One that is gone already is no error. */
export async function removeBuilder(name: string, { runCommand, env }: BuildxOptions): Promise<void> {
  await runCommand('docker', ['buildx', 'rm', '--force', name], {
    env,
    deadline: INSPECT_DEADLINE,
    allowFailure: true,
  });
}
