import { request } from '../../../src/core/net/request.ts';

export interface Crawl {
  /** Pages that were loaded. */
  readonly pages: number;
  /** What a page names and the server does not have. */
  readonly broken: readonly string[];
}

/**
 * Loads the start page, every page that can be reached from it, and every asset that one of them or an asset names, as a
 * visitor without credentials. `site` is the address of the site's folder, with a slash at its end.
 */
export async function crawl(site: string): Promise<Crawl> {
  const seen = new Set<string>();
  const broken: string[] = [];
  let pages = 0;
  let level: readonly string[] = ['index.html'];
  while (level.length > 0) {
    for (const path of level) seen.add(path);
    const answers = await Promise.all(level.map((path) => request({ url: new URL(path, site) })));
    for (const [index, { status }] of answers.entries()) if (status !== 200) broken.push(`${level[index]}: ${status}`);
    pages += level.filter((path) => path.endsWith('.html')).length;
    const named = new Set(answers.flatMap(({ body }) => namesIn(body.toString())));
    level = [...named].filter((name) => !seen.has(name));
  }
  return { pages, broken };
}

/** Paths that a page or script names: `"/assets/app.js"`. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/"\/([^"]+)"/g)].map(([, name = '']) => name);
}
