import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../../../src/core/runner/command.ts';
import {
  type AptSource,
  type Distribution,
  formatAptSources,
  ownSources,
  parseAptSources,
  parseDistribution,
  sidSource,
} from './apt-sources.ts';
import type { ProgressLog } from './child-process.ts';
import { withLock } from './lock-file.ts';

/** `sid` is Debian's unstable, which Ubuntu lacks: there it means the host's own suite. */
export type PackageSuite = 'sid' | 'host';

export interface PrivateApt {
  /** Options that every apt command of this configuration begins with. */
  readonly options: readonly string[];
}

const listsAge = 7 * 24 * 3600 * 1000;

/** The distribution of this machine. Throws when it is not one whose packages apt installs. */
export async function readDistribution(): Promise<Distribution> {
  const distribution = parseDistribution(await readFile('/etc/os-release', 'utf8').catch(() => ''));
  if (
    distribution === undefined ||
    ![distribution.id, ...distribution.idLike].some((id) => /^(debian|ubuntu)$/.test(id))
  )
    throw new Error(
      `packages can only be taken from Debian or Ubuntu, and this machine runs ${distribution?.id ?? process.platform}`,
    );
  return distribution;
}

async function readMachineSources(): Promise<AptSource[]> {
  const parts = (await readdir('/etc/apt/sources.list.d').catch(() => []))
    .filter((name) => /\.(list|sources)$/.test(name))
    .sort()
    .map((name) => path.join('/etc/apt/sources.list.d', name));
  const found: AptSource[] = [];
  for (const file of ['/etc/apt/sources.list', ...parts]) {
    found.push(...parseAptSources(file, await readFile(file, 'utf8').catch(() => '')));
  }
  return found;
}

async function chooseSources(suite: PackageSuite): Promise<AptSource[]> {
  const distribution = await readDistribution();
  const machine = await readMachineSources();
  const sid = suite === 'sid' ? sidSource(machine, distribution) : undefined;
  const chosen = sid === undefined ? ownSources(machine, distribution) : [sid];
  if (chosen.length === 0 || (suite === 'sid' && distribution.id === 'debian' && sid === undefined))
    throw new Error(
      `no apt source for ${distribution.codename} in /etc/apt/sources.list or /etc/apt/sources.list.d names a mirror`,
    );
  return chosen;
}

/**
 * A private apt: its sources, lists, archives and (empty) package state live in `cache`; proxies, credentials and keys
 * are the machine's own. The machine's hooks do not run and nothing of the host changes. Lists are fetched once a week.
 */
export async function preparePrivateApt(suite: PackageSuite, cache: string, log: ProgressLog): Promise<PrivateApt> {
  const folder = path.join(cache, 'apt', suite);
  const configuration = path.join(folder, 'apt.conf');
  const sources = path.join(folder, 'sources.d', 'slipway.sources');
  const stamp = path.join(folder, 'lists.updated');
  const options = ['-c', configuration, '-qq'];
  await withLock(path.join(folder, 'lock'), async () => {
    const wanted = formatAptSources(await chooseSources(suite));
    for (const name of ['lists/partial', 'archives/partial', 'sources.d'])
      await mkdir(path.join(folder, name), { recursive: true });
    await writeFile(`${configuration}.new`, aptConfiguration(folder));
    await rename(`${configuration}.new`, configuration);
    const isSame = (await readFile(sources, 'utf8').catch(() => '')) === wanted;
    const updated = await stat(stamp).catch(() => undefined);
    if (isSame && updated !== undefined && Date.now() - updated.mtimeMs < listsAge) return;
    await writeFile(path.join(folder, 'status'), '');
    await writeFile(sources, wanted);
    log(`fetching the package lists of ${suite === 'sid' ? 'Debian sid' : 'this machine’s release'}`);
    try {
      await runCommand('apt-get', [...options, 'update'], { deadline: 300_000 });
    } catch (error) {
      // Old lists still do, as long as the mirror keeps the packages they name.
      if (!isSame || updated === undefined) throw error;
      log(`the package lists could not be renewed, those of ${updated.mtime.toISOString()} are used: ${String(error)}`);
      return;
    }
    await writeFile(stamp, '');
  });
  return { options };
}

function aptConfiguration(folder: string): string {
  const quoted = (name: string) => `"${path.join(folder, name)}"`;
  return [
    `Dir::State::Lists ${quoted('lists')};`,
    `Dir::State::status ${quoted('status')};`,
    `Dir::State::extended_states ${quoted('extended_states')};`,
    `Dir::Cache ${quoted('.')};`,
    // Container images switch these off; without them each command parses all lists again (1 s instead of 0.1 s).
    'Dir::Cache::pkgcache "pkgcache.bin";',
    'Dir::Cache::srcpkgcache "srcpkgcache.bin";',
    `Dir::Cache::archives ${quoted('archives')};`,
    'Dir::Etc::SourceList "/dev/null";',
    `Dir::Etc::SourceParts ${quoted('sources.d')};`,
    'Dir::Etc::Preferences "/dev/null";',
    'Dir::Etc::PreferencesParts "/dev/null";',
    // A mirror may be frozen at a date: its Release file is then past its own.
    'Acquire::Check-Valid-Until "false";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    // apt's own user cannot reach a cache inside a home folder.
    'APT::Sandbox::User "root";',
    'APT::Install-Recommends "false";',
    'APT::Get::Assume-Yes "true";',
    // Such hooks empty the host's archives or wake its package daemon.
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '#clear DPkg::Post-Invoke;',
    '#clear DPkg::Pre-Install-Pkgs;',
    '',
  ].join('\n');
}
