import { createWriteStream } from 'node:fs';
import { chmod, link, lstat, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ConfigurationError } from '../runner/errors.ts';

/**
 * Writes the entries of layers into one folder of this machine and never outside of it. Paths are relative, without
 * `.` and `..`; `''` is the folder itself.
 */
export interface FolderWriter {
  beginLayer(): void;
  addFolder(path: string, mode: number): Promise<void>;
  addFile(path: string, mode: number, size: number, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** `folder` is where the folder stands in the image: an absolute target inside it becomes a relative one. */
  addSymbolicLink(path: string, target: string, folder: string): Promise<void>;
  addHardLink(path: string, target: string): Promise<void>;
  /** Notes an entry that cannot be exported; it counts only if no higher layer removes it. */
  refuse(path: string, what: string): Promise<void>;
  /** Removes what lower layers wrote at a path, or only what is inside of it. */
  remove(path: string, keepsFolder: boolean): Promise<void>;
  removeAll(): Promise<void>;
  /** A folder stands at a path above the exported one. */
  clearAncestor(path: string): Promise<void>;
  /** Something that is no folder stands there: a symbolic link with this target, or a file. */
  replaceAncestor(path: string, target: string | undefined): Promise<void>;
  /** Throws ConfigurationError when the folder does not exist in the image or holds what was refused. */
  finish(path: string, image: string): Promise<WrittenFolder>;
}

export interface WrittenFolder {
  readonly files: number;
  readonly bytes: number;
}

const MAX_SHOWN = 5;

/** `root` is made; it must not exist, or be empty. Throws ConfigurationError. */
export async function createFolderWriter(
  root: string,
  limits: { readonly files: number; readonly bytes: number },
): Promise<FolderWriter> {
  await mkdir(root, { recursive: true });
  if ((await readdir(root)).length > 0) throw new ConfigurationError(`the folder "${root}" is not empty`);

  /** Size of every file and link there is now, by its path. */
  const sizes = new Map<string, number>();
  const folders = new Map<string, number>();
  const refused = new Map<string, string>();
  const ancestors = new Map<string, string | undefined>();
  /** What this layer wrote: an opaque mark hides lower layers only, wherever in the archive it stands. */
  let fresh = new Set<string>();
  let exists = false;
  let entries = 0;
  let bytes = 0;

  function count(size: number): void {
    entries += 1;
    bytes += size;
    if (entries > limits.files) throw new ConfigurationError(`the folder holds more than ${limits.files} entries`);
    if (bytes > limits.bytes) throw new ConfigurationError(`the folder holds more than ${limits.bytes} bytes`);
  }

  function forget(path: string): void {
    for (const known of [sizes, folders, refused]) known.delete(path);
  }

  /** Makes the folders above a path; one that is a link or a file in the image is replaced, as an engine would. */
  async function makeParents(path: string): Promise<void> {
    exists = true;
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const parent = parts.slice(0, depth).join('/');
      if (folders.has(parent)) continue;
      await drop(parent);
      await mkdir(join(root, parent));
      folders.set(parent, 0o755);
    }
  }

  async function drop(path: string): Promise<void> {
    if (!sizes.has(path) && !folders.has(path) && !refused.has(path)) return;
    if (folders.has(path)) {
      for (const known of [...sizes.keys(), ...folders.keys(), ...refused.keys()]) {
        if (known.startsWith(`${path}/`)) forget(known);
      }
    }
    forget(path);
    await rm(join(root, path), { recursive: true, force: true });
  }

  async function prepare(path: string, size: number): Promise<void> {
    count(size);
    if (path === '')
      throw new ConfigurationError(
        'the path in the image is a file or a link, not a folder: name the folder that holds it',
      );
    await makeParents(path);
    await drop(path);
    fresh.add(path);
  }

  const writer: FolderWriter = {
    beginLayer() {
      fresh = new Set();
    },
    async addFolder(path, mode) {
      exists = true;
      if (path === '') return;
      count(0);
      await makeParents(path);
      if (!folders.has(path)) {
        await drop(path);
        await mkdir(join(root, path));
      }
      folders.set(path, mode & 0o777);
      fresh.add(path);
    },
    async addFile(path, mode, size, body) {
      await prepare(path, size);
      // `wx`: whatever stood there has been removed, and nothing is written through a link.
      await pipeline(body, createWriteStream(join(root, path), { flags: 'wx', mode: 0o600 }));
      await chmod(join(root, path), mode & 0o777);
      sizes.set(path, size);
    },
    async addSymbolicLink(path, target, folder) {
      await prepare(path, 0);
      const inside = insideTarget(path, target, folder);
      if (inside === undefined) {
        refused.set(path, `a symbolic link to ${target.slice(0, 200)}, outside the folder`);
        return;
      }
      await symlink(inside, join(root, path));
      sizes.set(path, 0);
    },
    async addHardLink(path, target) {
      const size = sizes.get(target);
      const isFile = size !== undefined && path !== target && (await lstat(join(root, target))).isFile();
      if (!isFile) throw new Error(`a layer holds the hard link "${path}" to "${target}", which is no file before it`);
      await prepare(path, 0);
      await link(join(root, target), join(root, path));
      sizes.set(path, size);
    },
    async refuse(path, what) {
      await prepare(path, 0);
      refused.set(path, what);
    },
    async remove(path, keepsFolder) {
      const below = [...sizes.keys(), ...folders.keys(), ...refused.keys()].filter((known) =>
        known.startsWith(`${path}/`),
      );
      const hidden = keepsFolder ? below : [path];
      const keepsFresh = [...fresh].some((known) => known === path || known.startsWith(`${path}/`));
      if (!keepsFolder && !keepsFresh) return drop(path);
      // Deepest first, so that a folder goes only once nothing of this layer is left in it.
      for (const known of [...new Set([...below, ...hidden])].sort().reverse()) {
        const holdsFresh = [...fresh].some((one) => one === known || one.startsWith(`${known}/`));
        if (!holdsFresh) await drop(known);
      }
    },
    async removeAll() {
      const tops = new Set(
        [...sizes.keys(), ...folders.keys(), ...refused.keys()].map((known) => known.split('/')[0] ?? ''),
      );
      for (const top of tops) await writer.remove(top, false);
      if (fresh.size === 0) exists = false;
    },
    async clearAncestor(path) {
      ancestors.delete(path);
    },
    async replaceAncestor(path, target) {
      ancestors.set(path, target);
      await writer.removeAll();
    },
    async finish(path, image) {
      const [ancestor] = ancestors;
      if (ancestor !== undefined && !exists) {
        const [above, target] = ancestor;
        throw new ConfigurationError(
          `"${path}" of ${image} cannot be taken out: /${above} is ${target === undefined ? 'no folder' : `a symbolic link to ${target.slice(0, 200)}; name the folder that it leads to`}`,
        );
      }
      if (!exists) throw new ConfigurationError(`${image} has no folder "${path}"`);
      if (refused.size > 0) {
        const shown = [...refused].slice(0, MAX_SHOWN).map(([name, what]) => `${name} (${what})`);
        throw new ConfigurationError(
          `"${path}" of ${image} holds ${refused.size} entries that cannot be taken out: ${shown.join(', ')}${refused.size > MAX_SHOWN ? ', …' : ''}`,
        );
      }
      // Last, because a folder without write permission would stop what comes into it.
      for (const [name, mode] of folders) await chmod(join(root, name), mode | 0o700);
      return { files: sizes.size, bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) };
    },
  };
  return writer;
}

/**
 * A link's target relative to the link, or undefined when it may lead out of the folder.
 *
 * `..` is taken only at the start: `a/../../x` leads elsewhere than it reads when `a` is itself a link. With that, each
 * link leads from a real folder through names inside, and so does every chain of links.
 */
export function insideTarget(path: string, target: string, folder: string): string | undefined {
  if (target === '' || target.includes('\0')) return undefined;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const firstName = parts.findIndex((part) => part !== '..');
  if (firstName !== -1 && parts.slice(firstName).includes('..')) return undefined;
  const base = target.startsWith('/') ? '/' : posix.join('/', folder, posix.dirname(path));
  const absolute = posix.join(base, parts.join('/') || '.');
  const climbs = firstName === -1 ? parts.length : firstName;
  const room = path.split('/').length - 1;
  if (!target.startsWith('/')) return climbs > room ? undefined : parts.join('/') || '.';
  const root = posix.join('/', folder);
  if (absolute !== root && !absolute.startsWith(root === '/' ? '/' : `${root}/`)) return undefined;
  return posix.relative(posix.join(root, posix.dirname(path)), absolute) || '.';
}
