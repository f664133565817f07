import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { contracts } from '../scripts/contracts.ts';
import type { Figure } from './figure.ts';

const root = join(import.meta.dirname, '..');
const MB = 1e6;

/** What a user's job loads and downloads: each bundle's start chunks, all of dist/, and GitHub's archive of the commit. */
export async function measureSizes(): Promise<readonly Figure[]> {
  const all = readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  const archive = spawnSync('git', ['archive', '--format=tar.gz', 'HEAD'], { cwd: root, maxBuffer: 256 * MB }).stdout
    .length;
  return [
    ...contracts.map(({ name }) => ({
      name: `${name}, loaded at its start`,
      value: loadedBytes(name) / MB,
      unit: 'MB' as const,
      against: { name: 'all of dist/', value: all / MB },
    })),
    { name: 'all of dist/', value: all / MB, unit: 'MB', against: { name: 'limit', value: 4 } },
    { name: 'archive that GitHub downloads', value: archive / MB, unit: 'MB', against: { name: 'limit', value: 1.5 } },
  ];
}

/** Bytes of the files that Node opens until the action has read its inputs, as Node's own loader reports them. */
function loadedBytes(name: string): number {
  const preload = `
    import { registerHooks } from 'node:module';
    const files = new Set();
    registerHooks({ load(url, context, next) { if (url.startsWith('file:')) files.add(url); return next(url, context); } });
    process.on('exit', () => process.stderr.write('\\nLOADED ' + JSON.stringify([...files])));
  `;
  const { stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, join(root, 'dist', name, 'index.js')],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], 'INPUT_NO-SUCH-INPUT': '1' } },
  );
  const [, list = '[]'] = stderr.split('\nLOADED ');
  const files: readonly string[] = JSON.parse(list);
  return files.reduce((sum, url) => sum + readFileSync(new URL(url)).length, 0);
}
