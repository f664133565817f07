import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { Finding } from './finding.ts';
import { anchorsOf, linksOf } from './markdown.ts';

/** Relative links of a Markdown file that lead to no file or to no heading of it. Addresses on the web are not asked. */
export function checkLinks(root: string, file: string, markdown: string): readonly Finding[] {
  return linksOf(markdown).flatMap(({ target, line }) => {
    const problem = /^[a-z][a-z0-9+.-]*:/i.test(target) ? undefined : problemOf(root, file, markdown, target);
    return problem === undefined ? [] : [{ file, line, message: problem }];
  });
}

function problemOf(root: string, file: string, markdown: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#');
  const linked = path === '' ? file : normalize(join(dirname(file), decodeURIComponent(path)));
  if (linked.startsWith('..') || path.startsWith('/')) return `the link "${target}" leaves the repository`;
  const absolute = join(root, linked);
  if (path !== '' && !existsSync(absolute)) return `the link "${target}" leads nowhere`;
  if (anchor === undefined || !linked.endsWith('.md')) return undefined;
  return anchorsOf(path === '' ? markdown : readFileSync(absolute, 'utf8')).has(anchor)
    ? undefined
    : `"${linked}" has no heading "#${anchor}"`;
}
