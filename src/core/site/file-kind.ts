import type { PathTest } from './path-globs.ts';

/**
 * What a file is to a site, which decides how long it is kept, when it goes in, and whether its name ever stands for
 * another content: only `fingerprinted` files have names of their own per content.
 */
export const FILE_KINDS = ['fingerprinted', 'asset', 'document', 'start page', 'service worker'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

const SERVICE_WORKER = /(^|\/)(sw|service-?worker|ngsw-worker|firebase-messaging-sw)\.m?js$|(^|\/)ngsw\.json$/i;

/** The kind of a file by its path. Documents are pages, and what the user, or the default, counts among them. */
export function kindOf(path: string, isEntryDocument: PathTest, isFingerprinted: PathTest): FileKind {
  if (SERVICE_WORKER.test(path)) return 'service worker';
  if (path === 'index.html') return 'start page';
  if (/\.x?html?$/i.test(path) || isEntryDocument(path)) return 'document';
  return isFingerprinted(path) ? 'fingerprinted' : 'asset';
}
