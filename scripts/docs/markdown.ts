/** What the documentation's gate needs of Markdown: fenced code, links, and the anchors that links lead to. */

export interface Fence {
  readonly language: string;
  /** Without the indentation of the fence. */
  readonly text: string;
  /** Of its first line of text, from 1. */
  readonly line: number;
}

export interface Link {
  readonly target: string;
  readonly line: number;
}

const FENCE = /^( *)(`{3,}|~{3,})\s*([\w-]*)/;
const LINK =
  /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s*(\S+)|<(?:a|img|source)\s[^>]*?(?:href|src|srcset)="([^"]+)"/g;

/** Splits a text into its fences and the lines outside of them, which keep their numbers. */
function split(markdown: string): { readonly fences: readonly Fence[]; readonly prose: readonly string[] } {
  const fences: Fence[] = [];
  const prose: string[] = [];
  let open: { indent: number; mark: string; language: string; line: number; text: string[] } | undefined;
  for (const [index, line] of markdown.split(/\r?\n/).entries()) {
    const [, indent = '', mark = '', language = ''] = FENCE.exec(line) ?? [];
    if (open === undefined) {
      if (mark !== '') open = { indent: indent.length, mark, language, line: index + 2, text: [] };
      prose.push(mark === '' ? line : '');
    } else {
      if (mark !== '' && mark.startsWith(open.mark) && language === '') {
        fences.push({ language: open.language, text: `${open.text.join('\n')}\n`, line: open.line });
        open = undefined;
      } else open.text.push(line.slice(Math.min(open.indent, line.search(/\S|$/))));
      prose.push('');
    }
  }
  return { fences, prose };
}

export function fencesOf(markdown: string): readonly Fence[] {
  return split(markdown).fences;
}

/** Links and images outside of code. */
export function linksOf(markdown: string): readonly Link[] {
  return split(markdown).prose.flatMap((line, index) =>
    [...line.replaceAll(/`[^`]*`/g, '').matchAll(LINK)].map(([, inline, reference, html]) => ({
      target: inline ?? reference ?? html ?? '',
      line: index + 1,
    })),
  );
}

/** The anchors that GitHub gives headings, a number added to those that come again. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const times = new Map<string, number>();
  for (const line of split(markdown).prose) {
    const [, heading] = /^#{1,6}\s+(.+?)\s*#*$/.exec(line) ?? [];
    if (heading === undefined) continue;
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const before = times.get(slug) ?? 0;
    times.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}
