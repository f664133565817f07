/** Folders whose every file has a name of its own per content, by the documentation of the frameworks. */
const IMMUTABLE_FOLDERS = /(^|\/)(_next\/static|_app\/immutable|_astro|_nuxt(?!\/builds\/latest\.json$))\//;

/** Hexadecimal digests (webpack, Angular, Parcel, Rails); with a digit and a letter, so that no date or word is one. */
const HEXADECIMAL = /^(?=.*\d)(?=.*[a-f])[0-9a-f]{8,64}$/;
/** Base-32 digests of esbuild: `7QX2MBHV`; a digit before a letter tells them from `VERSION2`. */
const BASE32 = /^(?=.*[2-7][A-Z])[A-Z2-7]{8}$/;
/** Base-64url digests of Vite and Rollup: all of upper case, lower case and digit, and no words: `BxK3d9aZ`. */
const BASE64 = /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])(?!(?:[A-Z]?[a-z]+|\d+)+$)[\w-]{8,22}$/;
/** What can be a digest of the same kind without a digit: mixed case that is no words, as `DkFbYqRs` and not `HomePage`. */
const BASE64_WITHOUT_DIGIT = /^(?=.*[a-z])(?=.*[A-Z])(?!(?:[A-Z]?[a-z]{2,}|\d+)+$)[\w-]{8}$/;

/** Files surely fingerprinted in a folder that make the doubtful names beside them fingerprinted too. */
const ENOUGH_NEIGHBOURS = 2;

/**
 * Those of a site's paths whose names hold a digest of their content, so that a name never stands for another content.
 *
 * What is missed is only revalidated too often; what is taken wrongly stays in browsers for a year. So doubt decides
 * for a miss: `report-20240131.pdf`, `hero-1920x1080.jpg` and `index-homepage.js` are none. One in four of Vite's
 * digests has no digit or looks like words; such a name counts where two beside it leave no doubt.
 */
export function findFingerprinted(paths: readonly string[]): ReadonlySet<string> {
  const found = new Set(paths.filter((path) => IMMUTABLE_FOLDERS.test(path) || partsOf(path).some(isDigest)));
  const neighbours = new Map<string, number>();
  for (const path of found) neighbours.set(folderOf(path), (neighbours.get(folderOf(path)) ?? 0) + 1);
  for (const path of paths) {
    const isAmongThem = (neighbours.get(folderOf(path)) ?? 0) >= ENOUGH_NEIGHBOURS;
    if (isAmongThem && partsOf(path).some((part) => BASE64_WITHOUT_DIGIT.test(part))) found.add(path);
  }
  return found;
}

function isDigest(part: string): boolean {
  return HEXADECIMAL.test(part) || BASE32.test(part) || BASE64.test(part);
}

/**
 * The parts of a name that may be its digest: what stands after a `-` or `_`, up to the next dot, and what stands
 * between dots (`main.abcdef12.chunk.js`). A base-64url digest may itself hold `-` and `_`, so every cut is tried.
 */
function partsOf(path: string): readonly string[] {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.(map|br|gz)$/, '');
  // A document is asked for by its name: one that is named after its content is still a document.
  if (/\.html?$/i.test(name)) return [];
  return name
    .split('.')
    .slice(0, -1)
    .flatMap((part, index) => [
      ...(index > 0 ? [part] : []),
      ...[...part.matchAll(/[-_]/g)].filter((cut) => cut.index > 0).map((cut) => part.slice(cut.index + 1)),
    ]);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
