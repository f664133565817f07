import type { Precompressed } from './deploy-choices.ts';
import type { Encoding, SourceFile } from './site-file.ts';

const SUFFIXES: Readonly<Record<'br' | 'gz', { readonly suffix: string; readonly encoding: Encoding }>> = {
  br: { suffix: '.br', encoding: 'br' },
  gz: { suffix: '.gz', encoding: 'gzip' },
};

/** With `br` or `gz`, the files with those of the wanted encoding in their places, and no compressed ones beside them. */
export function placePrecompressed(files: readonly SourceFile[], choice: Precompressed): readonly SourceFile[] {
  if (choice === 'beside' || choice === 'off') return files;
  const { suffix, encoding } = SUFFIXES[choice];
  const byPath = new Map(files.map((file) => [file.path, file]));
  const isCompressedTwin = ({ path }: SourceFile): boolean =>
    Object.values(SUFFIXES).some(
      (form) => path.endsWith(form.suffix) && byPath.has(path.slice(0, -form.suffix.length)),
    );
  return files
    .filter((file) => !isCompressedTwin(file))
    .map((file) => {
      const twin = byPath.get(file.path + suffix);
      return twin === undefined ? file : { path: file.path, location: twin.location, size: twin.size, encoding };
    });
}
