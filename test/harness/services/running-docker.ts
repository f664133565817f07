import { stat } from 'node:fs/promises';
import { runCommand } from '../../../src/core/runner/command.ts';

/** A Docker Engine that somebody else runs. */
export interface RunningDocker {
  readonly host: string;
  readonly serverVersion: string;
  readonly hasContainerdStore: boolean;
}

/** Reads `docker info --format '{{json .}}'`; undefined when no server answered. */
export function parseDockerInfo(text: string): Omit<RunningDocker, 'host'> | undefined {
  const info: unknown = JSON.parse(text);
  if (typeof info !== 'object' || info === null) return undefined;
  const serverVersion = 'ServerVersion' in info && typeof info.ServerVersion === 'string' ? info.ServerVersion : '';
  if (serverVersion === '') return undefined;
  const status = 'DriverStatus' in info && Array.isArray(info.DriverStatus) ? info.DriverStatus : [];
  // moby/moby: with the containerd image store the driver names its snapshotter here, with the classic one its file system.
  const hasContainerdStore = status.some((pair) => Array.isArray(pair) && pair[1] === 'io.containerd.snapshotter.v1');
  return { serverVersion, hasContainerdStore };
}

/** Looks for an engine at DOCKER_HOST or the usual socket, with buildx beside it. The string says why there is none. */
export async function findRunningDocker(): Promise<RunningDocker | string> {
  const host = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  if (host.startsWith('unix://') && (await stat(host.slice('unix://'.length)).catch(() => undefined)) === undefined)
    return `no Docker runs at ${host}`;
  const env = { ...process.env, DOCKER_HOST: host };
  try {
    const { stdout } = await runCommand('docker', ['info', '--format', '{{json .}}'], { env, deadline: 20_000 });
    const found = parseDockerInfo(stdout);
    if (found === undefined) return `the Docker at ${host} does not answer`;
    await runCommand('docker', ['buildx', 'version'], { env, deadline: 20_000 });
    return { host, ...found };
  } catch (error) {
    return `the Docker at ${host} cannot be used: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Whether the engine is as good as our own: version 27 or newer with the containerd image store. */
export function isFullEngine({ serverVersion, hasContainerdStore }: RunningDocker): boolean {
  return hasContainerdStore && Number.parseInt(serverVersion, 10) >= 27;
}
