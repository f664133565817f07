import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { readDistribution } from './apt-configuration.ts';
import { serviceCacheFolder } from './cache-folder.ts';
import { type ProgressLog, startDaemon } from './child-process.ts';
import { downloadPackages } from './debian-packages.ts';
import { freePort } from './free-port.ts';
import { enterRoot, FOLDER_INSIDE, prepareRoot, rootEnvironment } from './package-root.ts';

export interface ChromiumOptions {
  /** Keeps the profile and the log; whatever else is put there, programs see below `/mnt`. */
  readonly folder: string;
  /** An installed Chrome or Chromium to use instead; where there are no packages of it, that of the machine unless told. */
  readonly browser?: string;
  readonly cache?: string;
  readonly log: ProgressLog;
}

/** A process to start: a file and its arguments. */
export interface ProgramCall {
  readonly file: string;
  readonly args: readonly string[];
}

export interface Chromium extends AsyncDisposable {
  /** Serves the DevTools protocol on 127.0.0.1: `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** Runs a program that came with the browser: `cmark-gfm`, `pngquant`. */
  program(name: string, args: readonly string[]): ProgramCall;
  stop(): Promise<void>;
}

/** GitHub's own Markdown, a compressor of pictures, and what every root needs. */
const TOOLS = ['cmark-gfm', 'pngquant', 'base-files', 'coreutils', 'dash', 'libc-bin'];
/** The browser without its window, and the fonts of GitHub's pages that Linux has. */
const BROWSER = ['chromium-headless-shell', 'fonts-liberation', 'fonts-noto-core', 'fonts-noto-color-emoji'];

/**
 * Starts Debian's headless Chromium inside a root of its own packages, so that no library or font of the machine takes
 * part: 200 MB to download and 640 MB on disk, half a minute, once. Ubuntu packages it as a snap only, which needs its
 * daemon: there an installed Chrome is used. Needs root.
 */
export async function startChromium({
  folder,
  browser,
  cache = serviceCacheFolder(),
  log,
}: ChromiumOptions): Promise<Chromium> {
  if (process.getuid?.() !== 0)
    throw new Error('Chromium needs root, for a root folder and mount namespaces of its own');
  const began = performance.now();
  const installed = browser ?? ((await readDistribution()).id === 'debian' ? undefined : findInstalled());
  const packages = [...TOOLS, ...(installed === undefined ? BROWSER : [])];
  const { folder: root } = await downloadPackages({ suite: 'host', packages, closure: true, cache, log });
  await prepareRoot(root);
  const shared = path.resolve(folder);
  await mkdir(shared, { recursive: true });
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const program: Chromium['program'] = (name, args) => ({
    file: 'unshare',
    args: enterRoot({ root, folder: shared }, [name, ...args]),
  });
  const call =
    installed === undefined
      ? // Not the script in /usr/bin, which would end and leave the browser running.
        program('/usr/lib/chromium/chromium-headless-shell', browserArguments(port, FOLDER_INSIDE))
      : { file: installed, args: ['--headless', ...browserArguments(port, shared)] };
  const daemon = await startDaemon({
    name: 'Chromium',
    ...call,
    ...(installed === undefined ? { env: rootEnvironment } : {}),
    logFile: path.join(shared, 'chromium.log'),
    isReady: async () => (await fetch(`${endpoint}/json/version`)).ok,
    deadline: 60_000,
  });
  log(`Chromium runs after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return { endpoint, program, stop: daemon.stop, [Symbol.asyncDispose]: daemon.stop };
}

function browserArguments(port: number, folder: string): readonly string[] {
  return [
    // The sandbox refuses root; the pages are our own, and load nothing from elsewhere.
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--hide-scrollbars',
    '--force-color-profile=srgb',
    '--font-render-hinting=none',
    `--user-data-dir=${folder}/profile`,
    `--remote-debugging-port=${port}`,
  ];
}

function findInstalled(): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const files = ['google-chrome', 'chromium'].flatMap((name) => folders.map((folder) => path.join(folder, name)));
  const found = files.find((file) => existsSync(file));
  if (found === undefined)
    throw new Error('neither a package of Chromium nor an installed "google-chrome" or "chromium" was found');
  return found;
}
