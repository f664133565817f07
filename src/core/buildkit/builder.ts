import { CommandError, type CommandResult, type RunCommand } from '../runner/command.ts';
import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { fieldOf } from '../runner/event.ts';

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

/** `bake --allow fs=…` came with it. */
export const MIN_BUILDX = '0.18';
const INSPECT_DEADLINE = 60_000;
const BOOTSTRAP_DEADLINE = 300_000;

/** The builder of a name, or the current one. Throws ConfigurationError when there is none, or no buildx at all. */
export async function inspectBuilder(name: string | undefined, options: BuildxOptions): Promise<Builder> {
  const named = name === undefined ? [] : ['--builder', name];
  const result = await askBuildx(['inspect', ...named], options);
  if (result.exitCode !== 0) throw unusable(name, result.stderr);
  const builder = parseBuilder(result.stdout);
  // buildx exits with 0 where it reaches nothing, and then tells no driver.
  if (!/^Driver:[ \t]*\S/m.test(result.stdout)) throw unusable(name, /^Error:(.*)$/m.exec(result.stdout)?.[1] ?? '');
  if (builder.driver !== 'docker' || builder.hasContainerdStore) return builder;
  return { ...builder, hasContainerdStore: await hasContainerdStore(options) };
}

/** Throws ConfigurationError where there is no `docker`. */
async function askBuildx(args: readonly string[], { runCommand, env }: BuildxOptions): Promise<CommandResult> {
  try {
    return await runCommand('docker', ['buildx', ...args], { env, deadline: INSPECT_DEADLINE, allowFailure: true });
  } catch (cause) {
    if (!(cause instanceof CommandError) || fieldOf(cause.cause, 'code') !== 'ENOENT') throw cause;
    throw new ConfigurationError('there is no "docker" on this runner: install Docker with its plugin buildx', {
      cause,
    });
  }
}

function unusable(name: string | undefined, said: string): ConfigurationError {
  const why = said.trim().slice(-500);
  // The client's words for a plug-in that it has not, in versions 20 to 29.
  if (/is not a docker command|unknown command:? (?:"docker buildx"|docker buildx)|unknown flag: --builder/.test(why))
    return new ConfigurationError(
      `this runner's Docker has no buildx: install the plugin docker-buildx, ${MIN_BUILDX} or newer`,
    );
  const asked = `docker buildx inspect${name === undefined ? '' : ` --builder ${name}`}`;
  return new ConfigurationError(`there is no builder to build with: \`${asked}\` said: ${why}`);
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
  /** Platforms that it is told to build for; none leaves it to find out by itself. */
  readonly platforms: readonly string[];
}

/** Has buildx note a builder down; it starts with its first use, or by `bootBuilder`. The caller removes it. */
export async function createBuilder(builder: NewBuilder, { runCommand, env }: BuildxOptions): Promise<void> {
  const { name, driver, driverOptions, config, endpoint, platforms } = builder;
  const args = [
    ...['buildx', 'create', '--name', name, '--driver', driver],
    ...driverOptions.flatMap((option) => ['--driver-opt', option]),
    ...(platforms.length === 0 ? [] : ['--platform', platforms.join(',')]),
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
