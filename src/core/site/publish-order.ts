import type { FileKind } from './file-kind.ts';

/** Files that go in one after the other group; within a group, at once. */
const PHASES = ['new assets', 'replaced assets', 'documents', 'start page', 'service workers'] as const;
export type Phase = (typeof PHASES)[number];

/**
 * When a file goes in, so that at each moment what is reachable is whole.
 *
 * Assets under new names first, since nothing refers to them yet. Then assets that replace others of the same name:
 * what they refer to is there. Then documents, then the start page. Service workers last, after the pages: one that
 * came before would keep the old page under the new version's name until the next deploy.
 */
export function phaseOf(kind: FileKind, isReplaced: boolean): Phase {
  switch (kind) {
    case 'service worker':
      return 'service workers';
    case 'start page':
      return 'start page';
    case 'document':
      return 'documents';
    case 'asset':
    case 'fingerprinted':
      return isReplaced ? 'replaced assets' : 'new assets';
  }
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
