import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hash } from 'bcryptjs';
import { serviceCacheFolder } from './cache-folder.ts';
import { type ProgressLog, startDaemon } from './child-process.ts';
import { downloadPackages } from './debian-packages.ts';
import { freePort } from './free-port.ts';

export interface RegistryOptions {
  /** Keeps what is pushed; a registry started again there serves it. */
  readonly folder: string;
  /** 0 or undefined: a free one. */
  readonly port?: number;
  /** One user, by HTTP Basic; without it everybody may pull, push and delete. */
  readonly auth?: { readonly username: string; readonly password: string };
  readonly cache?: string;
  readonly log: ProgressLog;
}

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as in an image reference. */
  readonly host: string;
  /** One line a request, in Apache's combined format, among lines of its own. */
  readonly requestLog: string;
  stop(): Promise<void>;
}

/** Starts CNCF distribution (Debian's docker-registry) on 127.0.0.1, with deletion enabled. Needs no root. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const { folder, auth, log, cache = serviceCacheFolder() } = options;
  const { folder: root } = await downloadPackages({ suite: 'sid', packages: ['docker-registry'], cache, log });
  const port = options.port === undefined || options.port === 0 ? await freePort() : options.port;
  const host = `127.0.0.1:${port}`;
  await mkdir(path.join(folder, 'data'), { recursive: true });
  const passwords = path.join(folder, 'htpasswd');
  // The registry knows bcrypt alone; the least cost, since each request is checked anew.
  if (auth !== undefined)
    await writeFile(passwords, `${auth.username}:${await hash(auth.password, 4)}\n`, { mode: 0o600 });
  const configuration = path.join(folder, 'config.yml');
  await writeFile(configuration, JSON.stringify(registryConfiguration(folder, host, auth && passwords)));
  const requestLog = path.join(folder, 'registry.log');
  const daemon = await startDaemon({
    name: `the registry at ${host}`,
    file: path.join(root, 'usr/bin/docker-registry'),
    args: ['serve', configuration],
    logFile: requestLog,
    isReady: async () => [200, 401].includes((await fetch(`http://${host}/v2/`)).status),
    deadline: 20_000,
  });
  log(`the registry runs at ${host}${auth === undefined ? '' : ` for user ${auth.username}`}`);
  return { host, requestLog, stop: daemon.stop, [Symbol.asyncDispose]: daemon.stop };
}

/** The configuration file; JSON is YAML too. https://distribution.github.io/distribution/about/configuration/ */
function registryConfiguration(folder: string, addr: string, passwords: string | undefined): object {
  return {
    version: '0.1',
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: path.join(folder, 'data') }, delete: { enabled: true } },
    http: { addr, secret: randomBytes(16).toString('hex') },
    ...(passwords === undefined ? {} : { auth: { htpasswd: { realm: 'slipway', path: passwords } } }),
  };
}
