import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { RunCommand } from '../runner/command.ts';
import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { fieldOf, isRecord } from '../runner/event.ts';

export interface RegistryLogin {
  /** Host and port: `ghcr.io`. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

export interface PrivateDockerConfig {
  readonly folder: string;
  /** What `docker` must be run with: the private configuration, and the user's own store of builders. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The user's own configuration folder of the Docker CLI. */
function dockerConfigFolder(environment: Environment): string {
  return environment['DOCKER_CONFIG'] || join(environment['HOME'] || homedir(), '.docker');
}

/**
 * Makes a configuration folder for `docker` in which one registry is logged in, readable by this user alone.
 *
 * `docker login` would leave the password in the user's own file, for every later step of the job. Everything else the
 * user has (contexts, plug-ins, credential helpers, other logins) is kept by links and by a copy of its `config.json`;
 * builders stay in the user's own store, because a builder made here must be found there.
 * Throws ConfigurationError when the user's `config.json` is no JSON.
 */
export async function createDockerConfig(
  temp: string,
  login: RegistryLogin,
  environment: Environment,
): Promise<PrivateDockerConfig> {
  const own = dockerConfigFolder(environment);
  const config = mergeLogin(await readConfig(join(own, 'config.json')), login);
  const folder = await mkdtemp(join(temp, 'slipway-docker-'));
  await chmod(folder, 0o700);
  const entries = existsSync(own) ? await readdir(own) : [];
  for (const entry of entries.filter((name) => name !== 'config.json' && name !== 'buildx')) {
    await symlink(join(own, entry), join(folder, entry));
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o600, flag: 'wx' });
  const builders = environment['BUILDX_CONFIG'] || join(own, 'buildx');
  return { folder, environment: { DOCKER_CONFIG: folder, BUILDX_CONFIG: builders } };
}

/**
 * The user's own login to a registry, as docker/login-action leaves it: from `config.json` or from the credential
 * helper it names. Undefined when there is none, or when the helper does not give one.
 */
export async function findLogin(
  registry: string,
  environment: Environment,
  runCommand: RunCommand,
): Promise<RegistryLogin | undefined> {
  const config = await readConfig(join(dockerConfigFolder(environment), 'config.json'));
  const helper = fieldOf(config, 'credHelpers', registry) ?? config['credsStore'];
  if (typeof helper === 'string' && /^[\w.-]+$/.test(helper)) {
    return askHelper(`docker-credential-${helper}`, registry, environment, runCommand);
  }
  const auth = fieldOf(config, 'auths', registry, 'auth');
  if (typeof auth !== 'string') return undefined;
  const [username = '', ...password] = Buffer.from(auth, 'base64').toString('utf8').split(':');
  return username === '' ? undefined : { registry, username, password: password.join(':') };
}

/** Source: docker/docker-credential-helpers, "Development": the server's name on standard input, JSON on standard output. */
async function askHelper(
  program: string,
  registry: string,
  environment: Environment,
  runCommand: RunCommand,
): Promise<RegistryLogin | undefined> {
  const options = { env: environment, input: registry, deadline: 30_000, maxOutput: 1024 * 1024, allowFailure: true };
  const { exitCode, stdout } = await runCommand(program, ['get'], options);
  if (exitCode !== 0) return undefined;
  const answer: unknown = JSON.parse(stdout);
  const [username, password] = [fieldOf(answer, 'Username'), fieldOf(answer, 'Secret')];
  return typeof username === 'string' && typeof password === 'string' ? { registry, username, password } : undefined;
}

type Config = Readonly<Record<string, unknown>>;

/** The configuration with one more login. An empty helper for the registry keeps `credsStore` from hiding it. */
function mergeLogin(config: Config, { registry, username, password }: RegistryLogin): Config {
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const auths = isRecord(config['auths']) ? config['auths'] : {};
  const helpers = isRecord(config['credHelpers']) ? config['credHelpers'] : {};
  const hasHelper = typeof config['credsStore'] === 'string' || Object.hasOwn(helpers, registry);
  return {
    ...config,
    auths: { ...auths, [registry]: { auth } },
    ...(hasHelper ? { credHelpers: { ...helpers, [registry]: '' } } : {}),
  };
}

async function readConfig(path: string): Promise<Config> {
  if (!existsSync(path)) return {};
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (isRecord(value)) return value;
  } catch (cause) {
    throw new ConfigurationError(`the Docker configuration ${path} cannot be read`, { cause });
  }
  throw new ConfigurationError(`the Docker configuration ${path} is no JSON object`);
}
