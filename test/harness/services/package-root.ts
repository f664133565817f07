import { lstat, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../../../src/core/runner/command.ts';
import { withLock } from './lock-file.ts';

/** Where programs in a root see the folder they work in. */
export const FOLDER_INSIDE = '/mnt';

/** The environment of programs in a root. */
export const rootEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: '/root' };

/** What maintainer scripts would have made: device nodes (never the host's /dev), names for localhost and root. */
export async function prepareRoot(root: string): Promise<void> {
  await withLock(`${root}.lock`, async () => {
    for (const folder of ['dev', 'etc', 'mnt', 'proc', 'root', 'run', 'tmp'])
      await mkdir(path.join(root, folder), { recursive: true });
    await writeFile(path.join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
    await writeFile(path.join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    await writeFile(path.join(root, 'etc/group'), 'root:x:0:\n');
    for (const [name, minor] of [
      ['null', '3'],
      ['zero', '5'],
      ['random', '8'],
      ['urandom', '9'],
    ] as const) {
      const node = path.join(root, 'dev', name);
      if ((await lstat(node).catch(() => undefined)) === undefined)
        await runCommand('mknod', ['-m', '666', node, 'c', '1', minor]);
    }
  });
}

// $0 is the root, $1 the folder, the rest a command. The mounts are seen by this process alone and end with it.
const script = `
mount -t proc proc "$0/proc" && mount --bind "$1" "$0${FOLDER_INSIDE}" && root=$0 && shift && exec chroot "$root" "$@"`;

/**
 * The arguments of `unshare` by which a program of extracted packages runs inside their own root, with one folder of the
 * host. Needs root.
 */
export function enterRoot(
  { root, folder }: { readonly root: string; readonly folder: string },
  words: readonly string[],
): string[] {
  return ['--mount', '--propagation', 'private', '--', 'sh', '-c', script, root, folder, ...words];
}
