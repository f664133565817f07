import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { runCommand } from '../../../src/core/runner/command.ts';
import type { PackageSuite } from './apt-configuration.ts';
import { serviceCacheFolder } from './cache-folder.ts';
import { formatCephConfiguration, formatKeyring, stateInside } from './ceph-configuration.ts';
import { type Daemon, type ProgressLog, startDaemon } from './child-process.ts';
import { downloadPackages } from './debian-packages.ts';
import { freePort } from './free-port.ts';
import { enterRoot, prepareRoot, rootEnvironment } from './package-root.ts';

export interface CephOptions {
  /** Keeps the state and logs of this cluster; emptied at start, since the objects are in memory and go at stop. */
  readonly folder: string;
  readonly cache?: string;
  /** `host` is the distribution's own release: on Debian 12, gateway 16, an older compatible store. `sid`, gateway 20, when absent. */
  readonly suite?: PackageSuite;
  readonly log: ProgressLog;
}

export interface Ceph extends AsyncDisposable {
  /** S3, STS and IAM, by path-style URLs. */
  readonly endpoint: string;
  /** Of a user who may also manage roles, OIDC providers and policies. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** One line with `beast:` a request: method, URL, status. */
  readonly requestLog: string;
  stop(): Promise<void>;
}

/**
 * Starts Ceph's S3 gateway over a cluster of one monitor and one in-memory OSD. It verifies SigV4, JWTs, role policies,
 * conditional writes and checksums. Debian sid's packages run inside their own root, which nothing is mounted into but
 * /proc and the state folder, in mount namespaces that end with their process. Needs root. Several run side by side.
 */
export async function startCeph(options: CephOptions): Promise<Ceph> {
  const { folder, log, cache = serviceCacheFolder(), suite = 'sid' } = options;
  if (process.getuid?.() !== 0) throw new Error('Ceph needs root, for a root folder and mount namespaces of its own');
  const began = performance.now();
  const { folder: root } = await downloadPackages({
    suite,
    packages: [
      'radosgw',
      'ceph-mon',
      'ceph-osd',
      'ceph-common',
      'ceph-base',
      'base-files',
      'coreutils',
      'dash',
      'libc-bin',
    ],
    closure: true,
    cache,
    log,
  });
  await prepareRoot(root);
  const state = path.resolve(folder);
  for (const name of ['mon', 'osd']) await rm(path.join(state, name), { recursive: true, force: true });
  for (const name of ['mon', 'osd']) await mkdir(path.join(state, name), { recursive: true });
  const ports = { monitor: await freePort(), gateway: await freePort() };
  const clusterId = randomUUID();
  await writeFile(path.join(state, 'ceph.conf'), formatCephConfiguration(clusterId, ports));

  const daemons: Daemon[] = [];
  const stop = async (): Promise<void> => {
    // The gateway first: without its cluster it would wait for it.
    for (const daemon of daemons.reverse().splice(0)) await daemon.stop();
  };
  try {
    const cluster = { root, state, log, daemons, ports, clusterId };
    await startCluster(cluster);
    await startGateway(cluster);
    const keys = await createUser(cluster);
    log(
      `Ceph's S3 gateway runs at http://127.0.0.1:${ports.gateway} after ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    const endpoint = `http://127.0.0.1:${ports.gateway}`;
    return { endpoint, ...keys, requestLog: path.join(state, 'client.rgw.log'), stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Cluster {
  readonly root: string;
  readonly state: string;
  readonly log: ProgressLog;
  readonly daemons: Daemon[];
  readonly ports: { readonly monitor: number; readonly gateway: number };
  readonly clusterId: string;
}

function inside({ root, state }: Cluster, program: string, args: readonly string[]): string[] {
  return enterRoot({ root, folder: state }, [program, '-c', `${stateInside}/ceph.conf`, ...args]);
}

async function runInside(cluster: Cluster, program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await runCommand('unshare', inside(cluster, program, args), {
    env: rootEnvironment,
    deadline: 60_000,
  });
  return stdout;
}

async function startInside(
  cluster: Cluster,
  program: string,
  args: readonly string[],
  isReady: () => Promise<boolean>,
): Promise<void> {
  const daemon = await startDaemon({
    name: program,
    file: 'unshare',
    args: inside(cluster, program, ['-f', ...args]),
    env: rootEnvironment,
    logFile: path.join(cluster.state, `${program}.out`),
    isReady,
    deadline: 90_000,
    // All they hold is in memory and goes; the gateway alone would take its time.
    grace: 1_000,
  });
  cluster.daemons.push(daemon);
}

async function startCluster(cluster: Cluster): Promise<void> {
  const { log, ports, clusterId } = cluster;
  log('starting Ceph: a monitor and an in-memory OSD');
  const newKey = async () => (await runInside(cluster, 'ceph-authtool', ['--gen-print-key'])).trim();
  await writeFile(path.join(cluster.state, 'keyring'), await formatKeyring(newKey), { mode: 0o600 });
  const monitorMap = `${stateInside}/monmap`;
  const address = `[v2:127.0.0.1:${ports.monitor}]`;
  await runInside(cluster, 'monmaptool', [
    '--create',
    '--clobber',
    '--addv',
    'a',
    address,
    '--fsid',
    clusterId,
    monitorMap,
  ]);
  await runInside(cluster, 'ceph-mon', [
    '--mkfs',
    '-i',
    'a',
    '--monmap',
    monitorMap,
    '--keyring',
    `${stateInside}/keyring`,
  ]);
  await startInside(cluster, 'ceph-mon', ['-i', 'a'], async () => await isListening(ports.monitor));
  const osdId = randomUUID();
  await runInside(cluster, 'ceph', ['osd', 'new', osdId, '0']);
  await runInside(cluster, 'ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', osdId]);
  const isUp = async () => (await runInside(cluster, 'ceph', ['osd', 'stat'])).includes('1 up');
  await startInside(cluster, 'ceph-osd', ['-i', '0'], isUp);
}

async function startGateway(cluster: Cluster): Promise<void> {
  cluster.log('starting Ceph’s S3 gateway, which makes its pools first');
  const url = `http://127.0.0.1:${cluster.ports.gateway}/`;
  await startInside(cluster, 'radosgw', ['-n', 'client.rgw'], async () => (await fetch(url)).status === 200);
}

async function createUser(cluster: Cluster): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const caps = 'roles=*;oidc-provider=*;user-policy=*';
  const args = ['-n', 'client.rgw', 'user', 'create', '--uid=tester', '--display-name=Tester', `--caps=${caps}`];
  const answer: unknown = JSON.parse(await runInside(cluster, 'radosgw-admin', args));
  const keys =
    typeof answer === 'object' && answer !== null && 'keys' in answer && Array.isArray(answer.keys) ? answer.keys : [];
  const key: unknown = keys[0];
  if (typeof key === 'object' && key !== null && 'access_key' in key && 'secret_key' in key)
    return { accessKeyId: String(key.access_key), secretAccessKey: String(key.secret_key) };
  throw new Error('radosgw-admin made a user without keys');
}

async function isListening(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
