import { posix } from 'node:path';
import type { FolderWriter } from './folder-writer.ts';

/** A header of a layer's tar archive, as far as it counts here. */
export interface LayerEntry {
  readonly name: string;
  readonly type?: string | null | undefined;
  readonly mode?: number | undefined;
  readonly size?: number | undefined;
  readonly linkname?: string | null | undefined;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * Applies one entry of a layer to the folder that is taken out. `folder` is relative to the image's root, `''` for all.
 *
 * Throws Error for a name that leaves the image, and what the writer throws.
 */
export async function applyEntry(
  entry: LayerEntry,
  body: AsyncIterable<Uint8Array>,
  folder: string,
  writer: FolderWriter,
): Promise<void> {
  const path = imagePath(entry.name);
  const [parent, name] = [posix.dirname(path), posix.basename(path)];
  if (name === OPAQUE) return hide(parent === '.' ? '' : parent, folder, writer, true);
  if (name.startsWith(WHITEOUT)) {
    const hidden = name.slice(WHITEOUT.length);
    // Joined below, `..` would name the folder above.
    if (['', '.', '..'].includes(hidden))
      throw new Error(`a layer holds the whiteout "${name}", which leaves the image`);
    return hide(posix.join(parent, hidden), folder, writer, false);
  }
  if (path !== folder && isWithin(folder, path)) return takeAncestor(entry, path, writer);
  if (!isWithin(path, folder)) return;
  const inside = relativePath(path, folder);
  switch (entry.type) {
    case 'directory':
      return writer.addFolder(inside, entry.mode ?? 0o755);
    case 'file':
    case 'contiguous-file':
      return writer.addFile(inside, entry.mode ?? 0o644, entry.size ?? 0, body);
    case 'symlink':
      return writer.addSymbolicLink(inside, entry.linkname ?? '', folder);
    case 'link': {
      const target = imagePath(entry.linkname ?? '');
      if (!isWithin(target, folder)) return writer.refuse(inside, `a hard link to /${target}, outside the folder`);
      return writer.addHardLink(inside, relativePath(target, folder));
    }
    default:
      return writer.refuse(inside, `a ${entry.type ?? 'file of an unknown kind'}`);
  }
}

/** Removes what lower layers had at a path; for an opaque folder only its content. */
async function hide(path: string, folder: string, writer: FolderWriter, isOpaque: boolean): Promise<void> {
  if (isWithin(folder, path)) {
    await writer.clearAncestor(path);
    return writer.removeAll();
  }
  if (isWithin(path, folder)) await writer.remove(relativePath(path, folder), isOpaque);
}

/** Above the folder only what is no folder counts: it hides the folder, or is a link that leads to another. */
async function takeAncestor(entry: LayerEntry, path: string, writer: FolderWriter): Promise<void> {
  if (entry.type === 'directory') return writer.clearAncestor(path);
  return writer.replaceAncestor(path, entry.type === 'symlink' ? (entry.linkname ?? '') : undefined);
}

/** The entry's path from the image's root; leading `./` and `/` are how archives write it. */
function imagePath(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || name.includes('\0'))
    throw new Error(`a layer holds the path "${name.slice(0, 200)}", which leaves the image`);
  return parts.join('/');
}

function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

function relativePath(path: string, folder: string): string {
  return folder === '' ? path : path.slice(folder.length + 1);
}
