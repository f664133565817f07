import { createHash } from 'node:crypto';

/** A file of a tracked folder, relative to it, with its MD5 in hex. */
export interface TrackedFile {
  readonly path: string;
  readonly md5: string;
}

/**
 * The MD5 by which DVC knows a folder: that of the JSON list of its files, in the order of their names' code points.
 * Source: dvc-data, `hashfile/tree.py` (`Tree.as_bytes`), which writes as Python's `json.dumps` does.
 */
export function digestOfTrackedFolder(files: readonly TrackedFile[]): string {
  const entries = [...files]
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
    .map(({ path, md5 }) => `{"md5": "${md5}", "relpath": ${quoteAscii(path)}}`);
  return createHash('md5')
    .update(`[${entries.join(', ')}]`)
    .digest('hex');
}

/** A JSON text as Python writes it: nothing beyond ASCII, nor DEL. */
function quoteAscii(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
