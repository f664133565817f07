import { ConfigurationError } from '../../runner/errors.ts';
import type { ExpectedFile } from './expected-file.ts';

const POINTER =
  /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v\d+\n(?:ext-\d-[^\n]+\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n?$/;

/** True for a text that starts like a pointer of git-lfs. */
export function isLfsPointer(text: string): boolean {
  return /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\//.test(text);
}

/**
 * Reads a git-lfs pointer as a manifest of one file. A pointer does not name its file: the file is the pointer's name
 * without its last extension (`best.pt.lfs` tells of `best.pt`). Throws ConfigurationError.
 * Source: git-lfs's docs/spec.md. CRLF line ends, which git-lfs reads, are read; other shapes are not.
 */
export function parseLfsPointer(text: string, file: string): readonly ExpectedFile[] {
  const [, hex, size] = POINTER.exec(text.replace(/[ \t]*\r?\n/g, '\n')) ?? [];
  if (hex === undefined || size === undefined)
    throw new ConfigurationError(`"${file}" starts like a git-lfs pointer and is none`, { file, line: 1 });
  const [, path] = /([^/]+)\.(?:lfs|pointer|ptr|oid)$/i.exec(file) ?? [];
  if (path === undefined) {
    throw new ConfigurationError(
      `"${file}" is a git-lfs pointer, which does not name its file: call it <file>.lfs, or check the file out with "lfs: true"`,
      { file, line: 1 },
    );
  }
  return [{ path, digest: { algorithm: 'sha256', hex }, size: Number(size), line: 1 }];
}
