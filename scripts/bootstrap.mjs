// The first thing `npm start`, `npm test` and the others run, on whatever Node the machine has (20 or newer): installs
// the packages when they are not those of the lock file, and runs the script named on the command line with the
// project's own Node 24, which is GitHub's. It has no dependency, because there may be none yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.installed');

const [major] = process.versions.node.split('.');
if (Number(major) < 20) fail(`Node 20 or newer is needed to start; this is ${process.version}`);

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.log('installing packages …');
  const started = Date.now();
  // Not `npm ci`: it refuses a lock that lacks the optional packages of other platforms, and a registry that mirrors only
  // some platforms writes such a lock. Versions and hashes are those of the lock all the same, and it stays as it is.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const installed = spawnSync(npm, ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (installed.status !== 0)
    fail("the packages could not be installed; see npm's message above", installed.status ?? 1);
  writeFileSync(stamp, lock);
  console.log(`packages installed in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

const bin = join(modules, '.bin');
const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
if (!existsSync(node))
  fail(`${node} is missing: the package "node" brings it with an install script; allow it and install again`);

const [script, ...args] = process.argv.slice(2);
if (script === undefined) fail('usage: node scripts/bootstrap.mjs SCRIPT [ARGUMENT …]');
// npm and this process get the same SIGINT from a terminal: the script cleans up, this waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
const ran = spawnSync(node, [join(root, script), ...args], {
  cwd: process.cwd(),
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node)}${delimiter}${bin}${delimiter}${process.env.PATH ?? ''}` },
});
process.exit(ran.status ?? 1);

function fail(message, status = 1) {
  console.error(message);
  process.exit(status);
}
