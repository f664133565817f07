import { chmod, mkdir, mkdtemp, realpath, statfs, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from '../../../src/core/runner/command.ts';
import { readDistribution } from './apt-configuration.ts';
import { serviceCacheFolder } from './cache-folder.ts';
import { type Daemon, type ProgressLog, startDaemon } from './child-process.ts';
import { downloadPackages } from './debian-packages.ts';
import { addBridge } from './engine-bridge.ts';
import { clearAbandonedEngines, clearTraces, noteTraces, runFolderPrefix } from './engine-remains.ts';
import { findRunningDocker, isFullEngine, type RunningDocker } from './running-docker.ts';

export interface EngineOptions {
  /** Keeps images and build cache (`data`) and the log; an engine started again there finds them. */
  readonly folder: string;
  readonly cache?: string;
  /** `http://HOST:PORT` of a registry that is asked first for Docker Hub's images: `FROM python` works without a hub. */
  readonly mirror?: string;
  readonly log: ProgressLog;
}

export interface Engine extends AsyncDisposable {
  readonly host: string;
  /** What a process needs to use this engine; `PATH` holds the machine's own too. */
  readonly environment: Readonly<Record<string, string>>;
  /** The command line client, with buildx. */
  readonly docker: string;
  /** Whether we started it, or found it running. */
  readonly isOwn: boolean;
  stop(): Promise<void>;
}

/**
 * A Docker Engine with BuildKit, the containerd image store and buildx: the running one when it is all that, otherwise
 * one of our own from Debian's packages, nothing installed. Its containers reach the host through their bridge but not
 * the outside (no firewall rules are made); published ports work. Throws an Error with every reason when neither can be.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const running = await findRunningDocker();
  if (typeof running !== 'string' && isFullEngine(running)) return useRunning(running, options.log);
  const obstacle = await findObstacle();
  if (obstacle === undefined) return await startOwn(options);
  if (typeof running !== 'string') return useRunning(running, options.log);
  throw new Error(`no Docker Engine could be started: ${obstacle}; and ${running}`);
}

async function findObstacle(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `our own runs on Linux only, not on ${process.platform}`;
  if (process.getuid?.() !== 0) return `our own needs root, and this is user ${process.getuid?.()}`;
  return await readDistribution().then(
    () => undefined,
    (error: unknown) => String(error),
  );
}

function useRunning({ host, serverVersion, hasContainerdStore }: RunningDocker, log: ProgressLog): Engine {
  const store = hasContainerdStore ? 'containerd' : 'classic';
  log(`using the Docker Engine ${serverVersion} that runs at ${host} (${store} image store)`);
  const stop = async () => {};
  return {
    host,
    environment: { DOCKER_HOST: host },
    docker: 'docker',
    isOwn: false,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface EnginePackages {
  readonly path: string;
  readonly docker: string;
  readonly buildx: string;
  readonly busybox: string;
}

async function fetchPackages(cache: string, log: ProgressLog): Promise<EnginePackages> {
  // Debian 12's own docker.io 20.10 has no buildx. runc comes from the host's suite: it links the host's libseccomp.
  const engine = ['docker.io', 'docker-cli', 'docker-buildx', 'containerd', 'tini-static'];
  const isDebian = (await readDistribution()).id === 'debian';
  const newer = await downloadPackages({
    suite: 'sid',
    // Ubuntu's docker.io holds the client too.
    packages: isDebian ? engine : engine.filter((name) => name !== 'docker-cli'),
    cache,
    log,
  });
  const host = await downloadPackages({ suite: 'host', packages: ['runc', 'busybox-static'], cache, log });
  const within = (...names: string[]) => path.join(newer.folder, ...names);
  return {
    path: [newer.folder, host.folder]
      .flatMap((root) => [path.join(root, 'usr/sbin'), path.join(root, 'usr/bin')])
      .join(':'),
    docker: within('usr/bin/docker'),
    buildx: within('usr/libexec/docker/cli-plugins/docker-buildx'),
    // Debian 12 ships /bin/busybox, later releases /usr/bin/busybox.
    busybox: await realpath(path.join(host.folder, 'bin/busybox')).catch(() =>
      path.join(host.folder, 'usr/bin/busybox'),
    ),
  };
}

async function startOwn({ folder, log, mirror, cache = serviceCacheFolder() }: EngineOptions): Promise<Engine> {
  const began = performance.now();
  const packages = await fetchPackages(cache, log);
  await clearAbandonedEngines(packages.busybox, log);
  await mkdir(path.join(folder, 'data'), { recursive: true });
  const data = await realpath(path.join(folder, 'data'));
  // A Unix socket's path has 108 bytes (unix(7)) and containerd's own sockets go deep: hence a short folder apart.
  const run = await mkdtemp(path.join(tmpdir(), runFolderPrefix));
  const bridge = await addBridge(packages.busybox);
  const traces = { run, data, bridge: bridge.name };
  await noteTraces(traces);
  let daemon: Daemon | undefined;
  const stop = async (): Promise<void> => {
    if (daemon?.isRunning() === true) await removeContainers(packages.docker, run);
    await daemon?.stop();
    await clearTraces(traces, packages.busybox);
    await bridge.remove();
  };
  try {
    const configuration = path.join(run, 'daemon.json');
    const socket = path.join(run, 'docker.sock');
    await writeFile(configuration, JSON.stringify(await daemonConfiguration(run, data, bridge.name, mirror)));
    const docker = await writeClient(run, packages);
    log('starting the Docker Engine');
    daemon = await startDaemon({
      name: 'dockerd',
      file: path.join(path.dirname(packages.docker), '../sbin/dockerd'),
      args: ['--config-file', configuration],
      env: { ...process.env, PATH: `${packages.path}:${process.env['PATH'] ?? ''}` },
      logFile: path.join(folder, 'dockerd.log'),
      isReady: async () => await answersPing(socket),
      deadline: 60_000,
      grace: 20_000,
    });
    log(`the Docker Engine runs after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    const environment = {
      DOCKER_HOST: `unix://${socket}`,
      DOCKER_CONFIG: path.join(run, 'client'),
      // For tests that take a layer from the engine which a build cache is to bring back.
      SLIPWAY_CTR: path.join(path.dirname(packages.docker), 'ctr'),
      SLIPWAY_CONTAINERD: path.join(run, 'exec/containerd/containerd.sock'),
      PATH: `${path.dirname(docker)}:${process.env['PATH'] ?? ''}`,
    };
    return { host: environment.DOCKER_HOST, environment, docker, isOwn: true, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Without this the engine waits ten seconds for each container whose first process ignores SIGTERM, as shells do. */
async function removeContainers(docker: string, run: string): Promise<void> {
  const client = ['--host', `unix://${path.join(run, 'docker.sock')}`, '--config', path.join(run, 'client')];
  const { stdout } = await runCommand(docker, [...client, 'ps', '--all', '--quiet'], { deadline: 20_000 });
  const containers = stdout.split('\n').filter((id) => id !== '');
  if (containers.length > 0)
    await runCommand(docker, [...client, 'rm', '--force', ...containers], { deadline: 30_000 });
}

const overlayMagic = 0x794c7630;

async function daemonConfiguration(
  run: string,
  data: string,
  bridge: string,
  mirror: string | undefined,
): Promise<object> {
  const isOverlay = (await statfs(data)).type === overlayMagic;
  return {
    features: { 'containerd-snapshotter': true },
    // An overlay cannot be the upper layer of another one, as inside a container.
    ...(isOverlay ? { 'storage-driver': 'native' } : {}),
    hosts: [`unix://${path.join(run, 'docker.sock')}`],
    'data-root': data,
    'exec-root': path.join(run, 'exec'),
    pidfile: path.join(run, 'docker.pid'),
    bridge,
    'cgroup-parent': path.basename(run),
    // The host's firewall and forwarding stay as they are; published ports go through docker-proxy.
    iptables: false,
    ip6tables: false,
    'ip-forward': false,
    'insecure-registries': ['127.0.0.0/8'],
    ...(mirror === undefined ? {} : { 'registry-mirrors': [mirror] }),
    'shutdown-timeout': 3,
  };
}

/**
 * The client of our packages as `docker`. Its plugin folders are compiled in (/usr/libexec/docker and its like) or read
 * from DOCKER_CONFIG, which a caller replaces by a private one. So that buildx is found as on a machine that has it
 * installed, and no file of the host is written, this runs the plugin as the client itself does.
 */
async function writeClient(run: string, { docker, buildx }: EnginePackages): Promise<string> {
  const client = path.join(run, 'bin/docker');
  await mkdir(path.dirname(client), { recursive: true });
  await mkdir(path.join(run, 'client'));
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const plugin = `DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND=${quote(docker)} exec ${quote(buildx)} buildx`;
  const script = [
    '#!/bin/sh',
    'case "$1" in',
    `  buildx) shift; ${plugin} "$@" ;;`,
    `  build) shift; ${plugin} build "$@" ;;`,
    `  *) exec ${quote(docker)} "$@" ;;`,
    'esac',
    '',
  ].join('\n');
  await writeFile(client, script);
  await chmod(client, 0o755);
  return client;
}

function answersPing(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.once('timeout', () => ping.destroy());
    ping.once('error', () => resolve(false));
    ping.end();
  });
}
