import { parseChecksums } from './checksum-manifest.ts';
import { parseDvcFile } from './dvc-file.ts';
import type { ExpectedFile } from './expected-file.ts';
import { isLfsPointer, parseLfsPointer } from './lfs-pointer.ts';
import { parseModelsYml } from './models-yml.ts';

/** Reads a manifest of any kind: by its name where that says it, by its content for git-lfs, checksums otherwise. */
export function parseManifest(text: string, file: string): readonly ExpectedFile[] {
  if (isLfsPointer(text)) return parseLfsPointer(text, file);
  if (/\.dvc$/i.test(file)) return parseDvcFile(text, file);
  return /\.ya?ml$/i.test(file) ? parseModelsYml(text, file) : parseChecksums(text, file);
}
