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
  let level = ['index.html'];
  while (level.length > 0) {
    const found = new Set<string>();
    for (const path of level) {
      seen.add(path);
      const answer = await request({ url: new URL(path, site) });
      if (answer.status !== 200) broken.push(`${path}: ${answer.status}`);
      if (path.endsWith('.html')) pages += 1;
      for (const name of namesIn(answer.body.toString())) if (!seen.has(name)) found.add(name);
    }
    level = [...found];
  }
  return { pages, broken };
}

/** Paths that a page or script names: `"/assets/app.js"`. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/"\/([^"]+)"/g)].map(([, name = '']) => name);
}
