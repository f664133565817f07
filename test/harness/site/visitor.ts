import { request } from '../../../src/core/net/request.ts';
import { namesIn } from './crawler.ts';

export const PAGES = 21;
export const ASSETS = 600;

/** A site of 21 pages, each naming some of the assets; every asset has another name in another version. */
export function pagesOf(version: string, assets = ASSETS): Readonly<Record<string, string>> {
  const asset = (index: number) => `assets/chunk-${index.toString(16).padStart(4, '0')}${version}.js`;
  const pages: Record<string, string> = {};
  for (let page = 0; page < PAGES; page += 1) {
    const own = Array.from({ length: assets / PAGES }, (_, index) => asset(index * PAGES + page));
    const links = page === 0 ? Array.from({ length: PAGES - 1 }, (_, index) => `docs/p${index + 1}.html`) : [];
    const path = page === 0 ? 'index.html' : `docs/p${page}.html`;
    pages[path] = `${[...own, ...links].map((name) => `<a href="/${name}">`).join('')}${version}`;
  }
  for (let index = 0; index < assets; index += 1) pages[asset(index)] = `${version} ${index} `.repeat(200);
  return pages;
}

/** What a visitor met. */
export interface Visits {
  readonly loads: number;
  /** Loads of pages that were not there, or named an asset that was not. */
  readonly brokenLoads: number;
  /** What was missing. */
  readonly broken: readonly string[];
}

/** Loads one page after the other, and the assets it names at once, until `isOver`. */
export async function visit(site: string, isOver: () => boolean): Promise<Visits> {
  const broken: string[] = [];
  let loads = 0;
  let brokenLoads = 0;
  for (; !isOver(); loads += 1) {
    const before = broken.length;
    const page = loads % 2 === 0 ? 'index.html' : `docs/p${1 + (loads % (PAGES - 1))}.html`;
    const answer = await request({ url: `${site}${page}` });
    if (answer.status !== 200) broken.push(`${page}: ${answer.status}`);
    const assets = namesIn(answer.body.toString()).filter((name) => name.startsWith('assets/'));
    const found = await Promise.all(assets.map((name) => request({ url: `${site}${name}`, method: 'HEAD' })));
    for (const [index, { status }] of found.entries()) if (status !== 200) broken.push(`${page} → ${assets[index]}`);
    if (broken.length > before) brokenLoads += 1;
  }
  return { loads, brokenLoads, broken };
}
