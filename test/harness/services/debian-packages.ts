import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../../../src/core/runner/command.ts';
import { type PackageSuite, type PrivateApt, preparePrivateApt } from './apt-configuration.ts';
import type { ProgressLog } from './child-process.ts';
import { withLock } from './lock-file.ts';

export interface PackageOptions {
  readonly suite: PackageSuite;
  readonly packages: readonly string[];
  /** Also everything the packages depend on, as for a machine with nothing installed, laid out with merged /usr. */
  readonly closure?: boolean;
  /** The cache folder of the services, shared by all runs. */
  readonly cache: string;
  readonly log: ProgressLog;
}

export interface ExtractedPackages {
  /** The root of the extracted files; shared, so read only. */
  readonly folder: string;
  /** One for each archive, sorted: `name_version_architecture.deb`. */
  readonly archives: readonly string[];
}

/** Reads the lines `'URI' FILE SIZE HASH` of `apt-get --print-uris`; the file names, sorted. */
export function parsePrintedUris(text: string): string[] {
  return [...text.matchAll(/^'[^']+' (\S+\.deb) \d+/gm)]
    .flatMap(([, name]) => (name === undefined ? [] : [name]))
    .sort();
}

/**
 * Downloads Debian packages and extracts them without installing: no script of theirs runs, the host stays as it is.
 * Kept in `cache` under a key of all names and versions; several processes may ask at once. Throws CommandError when
 * apt knows a package not, or the mirror fails four times.
 */
export async function downloadPackages(options: PackageOptions): Promise<ExtractedPackages> {
  const { suite, packages, cache, log } = options;
  const apt = await preparePrivateApt(suite, cache, log);
  const action = options.closure === true ? ['install', '--download-only'] : ['download'];
  const printed = await runCommand('apt-get', [...apt.options, ...action, '--print-uris', ...packages]);
  const archives = parsePrintedUris(printed.stdout);
  if (archives.length === 0) throw new Error(`apt names no archive for ${packages.join(', ')} of suite ${suite}`);
  const key = createHash('sha256')
    .update(JSON.stringify([options.closure === true ? 'merged' : 'plain', archives]))
    .digest('hex');
  const folder = path.join(cache, 'packages', key.slice(0, 24));
  await withLock(`${folder}.lock`, async () => {
    if (await isFolder(folder)) return;
    await rm(`${folder}.partial`, { recursive: true, force: true });
    const debs = path.join(`${folder}.partial`, 'debs');
    const root = path.join(`${folder}.partial`, 'root');
    await mkdir(debs, { recursive: true });
    await mkdir(root, { recursive: true });
    log(`downloading ${archives.length} packages: ${packages.join(', ')}`);
    await downloadArchives(apt, action, packages, debs, log);
    for (const deb of (await readdir(debs)).filter((name) => name.endsWith('.deb')).sort())
      await runCommand('dpkg-deb', ['-x', path.join(debs, deb), root]);
    if (options.closure === true) await mergeUsr(root);
    await rm(debs, { recursive: true });
    await writeFile(path.join(`${folder}.partial`, 'archives.txt'), `${archives.join('\n')}\n`);
    await rename(`${folder}.partial`, folder);
  });
  return { folder: path.join(folder, 'root'), archives };
}

async function isFolder(folder: string): Promise<boolean> {
  return (await stat(folder).catch(() => undefined))?.isDirectory() === true;
}

async function downloadArchives(
  apt: PrivateApt,
  action: readonly string[],
  packages: readonly string[],
  debs: string,
  log: ProgressLog,
): Promise<void> {
  const partial = path.join(debs, 'partial');
  await mkdir(partial, { recursive: true });
  // `download` writes into the current folder, `install --download-only` into the archives: both are this folder.
  const args = [...apt.options, '-o', `Dir::Cache::archives=${debs}`, ...action, ...packages];
  for (let attempt = 1; ; attempt++) {
    try {
      await runCommand('apt-get', args, { cwd: debs, deadline: 600_000 });
      return;
    } catch (error) {
      if (attempt === 4) throw error;
      log(`the download failed, try ${attempt + 1} of 4 in ${attempt * 2} s: ${String(error)}`);
      await sleep(attempt * 2000);
    }
  }
}

/**
 * Makes /bin and its like links into /usr, as Debian 12 demands and debootstrap does. After the extraction, since
 * `dpkg-deb -x` replaces a link by the folder of the same name that an archive holds.
 */
async function mergeUsr(root: string): Promise<void> {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    const short = path.join(root, name);
    // Later releases ship the links themselves.
    if ((await lstat(short).catch(() => undefined))?.isSymbolicLink() === true) continue;
    await mkdir(path.join(root, 'usr', name), { recursive: true });
    if (await isFolder(short)) await runCommand('cp', ['-a', `${short}/.`, path.join(root, 'usr', name)]);
    await rm(short, { recursive: true, force: true });
    await symlink(`usr/${name}`, short);
  }
}
