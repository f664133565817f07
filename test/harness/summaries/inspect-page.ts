import { defaultSchema } from 'hast-util-sanitize';
import type { PageSnapshot } from '../browser/snapshot.ts';

/** What stands beyond the edge of a page; `scrolling` elements may hold more than they show. */
export function findOverflow(
  { contentWidth, elements }: PageSnapshot,
  width: number,
  scrolling: readonly string[],
): readonly string[] {
  const wide = elements.filter(
    ({ name, scrollWidth = 0, clientWidth = 0, ancestors }) =>
      clientWidth > 0 &&
      scrollWidth > clientWidth + 1 &&
      !scrolling.some((each) => each === name || ancestors.includes(each)),
  );
  return [
    ...(contentWidth > width ? [`the page is ${contentWidth} wide`] : []),
    ...wide.map(({ name, scrollWidth, clientWidth }) => `${name}: ${scrollWidth} in ${clientWidth}`),
  ];
}

/** Markdown or HTML that a reader would see as signs: pieces of tables, fences, emphasis, tags, entities, escapes. */
const MARKUP = /\|\s*:?-{3}|\*\*|```|<\/?[a-z]+[\s>]|&(?:#\d+|[a-z]+);|\\[\\`*_{}[\]()#+!|~@<>-]|^#{1,6} |\]\(|\[!/i;

/** Texts in which markup is to be seen. What stands in code is meant as it is, but for what is escaped there. */
export function findVisibleMarkup({ texts }: PageSnapshot): readonly string[] {
  const isShownAsItIs = (ancestors: readonly string[]): boolean =>
    ancestors.some((name) => name === 'pre' || name === 'svg');
  return texts
    .filter(({ ancestors }) => !isShownAsItIs(ancestors))
    .filter(({ text, ancestors }) => (ancestors.includes('code') ? /&(?:#\d+|amp|lt|gt);/ : MARKUP).test(text))
    .map(({ text }) => text.trim().slice(0, 80));
}

/** A summary begins with one heading of the second level, and no heading skips one. */
export function findHeadingFaults({ elements }: PageSnapshot): readonly string[] {
  const levels = elements.flatMap(({ name }) => (/^h[1-6]$/.test(name) ? [Number(name.slice(1))] : []));
  const starts = levels.filter((level) => level <= 2).length;
  return [
    ...(levels[0] === 2 && starts === 1 ? [] : [`headings of the levels ${levels.join(', ')}`]),
    ...levels.flatMap((level, index) =>
      index > 0 && level > (levels[index - 1] ?? 0) + 1 ? [`h${level} after h${levels[index - 1]}`] : [],
    ),
  ];
}

/**
 * What GitHub's sanitiser would take out of a summary: elements, attributes and kinds of links that are not in its list,
 * which `hast-util-sanitize` keeps. What cmark-gfm itself adds, the language of a code block, is GitHub's own.
 */
export function findForbidden({ elements }: PageSnapshot): readonly string[] {
  const allowed = new Set(defaultSchema.tagNames);
  const named = (list: readonly unknown[] = []): readonly string[] =>
    list.flatMap((each) => (typeof each === 'string' ? [each.toLowerCase()] : []));
  return elements
    .filter(({ ancestors }) => ancestors.includes('article'))
    .flatMap(({ name, attributes }) => {
      const known = new Set([...named(defaultSchema.attributes?.['*']), ...named(defaultSchema.attributes?.[name])]);
      return [
        ...(allowed.has(name) ? [] : [`<${name}>`]),
        ...[...attributes.keys()]
          .filter((attribute) => !known.has(attribute) && !(name === 'pre' && attribute === 'lang'))
          .map((attribute) => `<${name} ${attribute}>`),
        ...(/^(?:https?:\/\/|mailto:|#|\/|$)/.test(attributes.get('href') ?? '')
          ? []
          : [`href ${attributes.get('href')}`]),
      ];
    });
}
