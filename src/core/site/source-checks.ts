import type { PathTest } from './path-globs.ts';
import type { SourceFile } from './site-file.ts';

/** S3's limit for a key in UTF-8 ("Creating object key names", Amazon S3 User Guide). */
const MAX_KEY_BYTES = 1024;

/** Where Slipway keeps its own record in the bucket, below the prefix. */
export const OWN_FOLDER = '.slipway';

/**
 * What must be mended before a single request is sent: names that S3 or CloudFront cannot serve, names that differ only
 * in case (one of the two is lost on the next checkout on macOS or Windows), and files that must not be public.
 *
 * Returns a sentence for each problem, empty when there is none.
 */
export function findProblems(files: readonly SourceFile[], prefix: string, isForbidden: PathTest): readonly string[] {
  return [
    ...files.flatMap(({ path }) => {
      const problem = whyUnservable(path, prefix);
      return problem === undefined ? [] : [`${JSON.stringify(path)}: ${problem}`];
    }),
    ...sameButForCase(files),
    ...files
      .filter(({ path }) => isForbidden(path))
      .map(
        ({ path }) =>
          `${JSON.stringify(path)} must not be public; leave it out of the build, "exclude" it, or change "forbid"`,
      ),
  ];
}

/** Why a path cannot be a key of the site; undefined for one that S3, CloudFront and browsers take. */
export function whyUnservable(path: string, prefix: string): string | undefined {
  const segments = path.split('/');
  if (!path.isWellFormed() || path.includes('\uFFFD')) return 'the name is not valid UTF-8';
  if (/[\u0000-\u001F\u007F]/.test(path)) return 'the name has a control character, which no URL can hold';
  if (path.includes('\\')) return 'browsers turn a backslash in a URL into a slash';
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'browsers take "." and ".." out of a URL';
  if (segments[0] === OWN_FOLDER) return `the folder ${OWN_FOLDER} is where the record of releases is kept`;
  if (Buffer.byteLength(prefix + path) > MAX_KEY_BYTES) return `the key is longer than ${MAX_KEY_BYTES} bytes`;
  return undefined;
}

function sameButForCase(files: readonly SourceFile[]): readonly string[] {
  const seen = new Map<string, string>();
  return files.flatMap(({ path }) => {
    const folded = path.normalize('NFC').toLowerCase();
    const other = seen.get(folded);
    seen.set(folded, path);
    return other === undefined
      ? []
      : [`${JSON.stringify(path)} and ${JSON.stringify(other)} differ only in case or accents' encoding`];
  });
}
