import type { DigestAlgorithm } from '../digest-plan.ts';

/** One file that a manifest expects. */
export interface ExpectedFile {
  /** As the manifest writes it, relative to the manifest's folder. */
  readonly path: string;
  /** Undefined where the manifest says other things of the file alone. */
  readonly digest: { readonly algorithm: DigestAlgorithm; readonly hex: string } | undefined;
  /** A folder, whose digest is that of the list of its files (DVC). */
  readonly isFolder?: true;
  /** Bytes. */
  readonly size?: number;
  readonly format?: string;
  readonly url?: string;
  readonly licence?: string;
  /** Imports that this model may make besides the harmless ones. */
  readonly allow?: readonly string[];
  /** Counts from 1. */
  readonly line: number;
}

/** What a manifest expects, with the manifest's place for annotations. */
export interface Expectation extends ExpectedFile {
  /** A digest to make of the file for the list of the folder that it stands in. */
  readonly measure?: DigestAlgorithm;
  /** Relative to the workspace, with `/`. */
  readonly path: string;
  /** The manifest's own path; empty for an input. */
  readonly manifest: string;
}

/** Why a path of a manifest is none of a file below its folder; undefined for one that is. */
export function whyNoPath(path: string): string | undefined {
  if (path === '') return 'names no file';
  if (path.includes('\0')) return 'has a NUL in its name';
  return path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.split(/[/\\]/).includes('..')
    ? 'names a file outside of its folder'
    : undefined;
}
