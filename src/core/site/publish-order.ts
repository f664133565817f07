import type { PathTest } from './path-globs.ts';

/** Files that go in one after the other group; within a group, at once. */
export const PHASES = ['new assets', 'replaced assets', 'documents', 'index', 'service workers'] as const;
export type Phase = (typeof PHASES)[number];

const SERVICE_WORKER = /(^|\/)(sw|service-?worker|ngsw-worker|firebase-messaging-sw)\.m?js$|(^|\/)ngsw\.json$/i;

/** Whether a path is a document: a page, or what the user, or the default, counts among the entry documents. */
export function isDocument(path: string, isEntryDocument: PathTest): boolean {
  return /\.x?html?$/i.test(path) || SERVICE_WORKER.test(path) || isEntryDocument(path);
}

/**
 * When a file goes in, so that at each moment what is reachable is whole.
 *
 * Assets under new names first, since nothing refers to them yet. Then assets that replace others of the same name:
 * what they refer to is there. Then documents, then the start page. Service workers last, after the pages: one that
 * came before would keep the old page under the new version's name until the next deploy.
 */
export function phaseOf(path: string, isReplaced: boolean, isEntryDocument: PathTest): Phase {
  if (SERVICE_WORKER.test(path)) return 'service workers';
  if (path === 'index.html') return 'index';
  if (isDocument(path, isEntryDocument)) return 'documents';
  return isReplaced ? 'replaced assets' : 'new assets';
}

/** Groups to be carried out one after the other; documents deepest first, so that a page comes after those it leads to. */
export function inPublishOrder<T extends { readonly path: string; readonly phase: Phase }>(
  items: readonly T[],
): readonly (readonly T[])[] {
  return PHASES.flatMap((phase) => {
    const group = items.filter((item) => item.phase === phase);
    if (phase !== 'documents') return group.length === 0 ? [] : [group];
    const byDepth = Map.groupBy(group, ({ path }) => path.split('/').length);
    return [...byDepth].sort(([a], [b]) => b - a).map(([, pages]) => pages);
  });
}
