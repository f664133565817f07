import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CommandError, type RunCommand } from '../runner/command.ts';
import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Snapshot } from './snapshot.ts';

/** Resolves bake files of a commit to one definition, as JSON. */
export type PrintBake = (snapshot: Snapshot, files: readonly string[]) => Promise<string>;

const DEADLINE = 60_000;
const MAX_OUTPUT = 16 * 1024 * 1024;
const MAX_YAML_FILES = 200;

/**
 * Runs `docker buildx bake --print`, which needs neither a builder nor an engine, on the files of a commit.
 *
 * The files are written to a folder of their own, because the base's are not those of the checkout. The environment
 * is not passed on: a `variable "GITHUB_TOKEN" {}` would take its value from there, into the rows. Secrets and SSH
 * sockets are dropped, since bake wants to see their files. Throws ConfigurationError with the place that bake names,
 * and where there is no docker with buildx.
 */
export function createPrintBake(runCommand: RunCommand, temp: string, environment: Environment): PrintBake {
  return async (snapshot, files) => {
    const folder = await mkdtemp(join(temp, 'bake-'));
    try {
      await writeFiles(snapshot, files, folder);
      return await print(files, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  async function print(files: readonly string[], folder: string): Promise<string> {
    const [first = ''] = files;
    const docker = (args: readonly string[]) =>
      runCommand('docker', ['buildx', 'bake', ...files.flatMap((file) => ['--file', file]), ...args], {
        cwd: folder,
        env: cleanEnvironment(environment),
        deadline: DEADLINE,
        maxOutput: MAX_OUTPUT,
      });
    const settings = ['--print', '--set', '*.secrets=', '--set', '*.ssh='];
    try {
      return (await docker(settings)).stdout;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (!/failed to find target default/.test(error.stderr)) throw explain(error, first);
    }
    try {
      const { stdout } = await docker(['--list=type=targets,format=json']);
      return (await docker([...settings, ...listTargets(stdout)])).stdout;
    } catch (error) {
      throw error instanceof CommandError ? explain(error, first) : error;
    }
  }
}

async function writeFiles(snapshot: Snapshot, files: readonly string[], folder: string): Promise<void> {
  // Compose files may include others, and read .env.
  const isCompose = files.some((file) => /\.ya?ml$/.test(file));
  const beside = snapshot.entries
    .map(({ path }) => path)
    .filter((path) => isCompose && /(?:^|\/)(?:\.env|[^/]*compose[^/]*\.ya?ml)$/.test(path))
    .slice(0, MAX_YAML_FILES);
  const wanted = [...new Set([...files, ...beside])];
  await snapshot.load(wanted);
  for (const path of wanted) {
    const text = snapshot.text(path);
    // A tree that git itself would not check out may hold "..": nothing is written outside of the folder.
    if (text === undefined || path.split('/').includes('..')) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Where docker is and where its plugins are, and nothing else. */
function cleanEnvironment(environment: Environment): Environment {
  const kept = ['PATH', 'HOME', 'DOCKER_CONFIG', 'SYSTEMROOT', 'TMPDIR'];
  return Object.fromEntries(
    kept.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
}

/** `[{"name":"api"},{"name":"all","group":true}]`: a definition without a group `default` is built whole. */
function listTargets(output: string): readonly string[] {
  const list: unknown = JSON.parse(output);
  return Array.isArray(list)
    ? list.flatMap((entry: { name?: unknown; group?: unknown }) =>
        typeof entry.name === 'string' && /^[\w-]+$/.test(entry.name) && entry.group !== true ? [entry.name] : [],
      )
    : [];
}

function explain(error: CommandError, file: string): ConfigurationError {
  const said = /ERROR: ([^\n]*)/.exec(error.stderr)?.[1] ?? error.message;
  if (
    error.exitCode === undefined ||
    /unknown command|is not a docker command|unknown flag: --file/.test(error.stderr)
  ) {
    return new ConfigurationError(
      `"${file}" is read by "docker buildx bake --print", and this runner has no docker with buildx (${said}); use a runner that has it, or write .github/images.yml, or choose another "source"`,
      { file, cause: error },
    );
  }
  const [, place, line] = /^([^:\s]+):(\d+),/.exec(said) ?? [];
  return new ConfigurationError(`bake cannot read "${file}": ${said}`, {
    file: place ?? file,
    line: Number(line ?? 1),
    cause: error,
  });
}
