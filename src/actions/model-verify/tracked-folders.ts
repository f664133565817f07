import { join, posix } from 'node:path';
import { statsOf } from '../../core/models/byte-source.ts';
import type { InspectedModel } from '../../core/models/inspect-model.ts';
import type { JudgedModel } from '../../core/models/judge-models.ts';
import type { Expectation } from '../../core/models/manifest/expected-file.ts';
import { digestOfTrackedFolder } from '../../core/models/manifest/tracked-folder.ts';
import type { ModelFinding } from '../../core/models/model-finding.ts';
import { selectModels } from '../../core/models/select-models.ts';

/** A folder that a manifest lists as a whole, and the files that stand in it. */
export interface TrackedFolder {
  readonly expected: Expectation;
  /** Relative to the root of all models; undefined where there is no such folder. */
  readonly files: readonly string[] | undefined;
}

/** The folders among what manifests list. Throws ConfigurationError for a file that is there behind a link that leads out. */
export function findTrackedFolders(listed: readonly Expectation[], root: string): readonly TrackedFolder[] {
  return listed
    .filter(({ isFolder }) => isFolder === true)
    .map((expected) => {
      const isThere = statsOf(join(root, expected.path))?.isDirectory() === true;
      return { expected, files: isThere ? selectModels(root, [expected.path]) : undefined };
    });
}

/** What is expected of single files: what is listed as one, and for each file of a folder that its digest is made. */
export function expectFiles(listed: readonly Expectation[], folders: readonly TrackedFolder[]): readonly Expectation[] {
  const inFolders = folders.flatMap(({ expected: { manifest, line, digest }, files = [] }) =>
    files.map((path) => ({
      path,
      manifest,
      line,
      digest: undefined,
      ...(digest === undefined ? {} : { measure: digest.algorithm }),
    })),
  );
  return [...listed.filter(({ isFolder }) => isFolder !== true), ...inFolders];
}

/** The folders that were read and are not as their manifest says, or are not there: each as a model that failed. */
export function judgeTrackedFolders(
  folders: readonly TrackedFolder[],
  inspected: readonly InspectedModel[],
): readonly JudgedModel[] {
  const read = new Map(inspected.map((model) => [model.path, model]));
  return folders.flatMap(({ expected, files }) => {
    // Inputs that select other models leave a folder unread.
    if (files?.every((path) => !read.has(path)) === true) return [];
    const models = files?.flatMap((path) => read.get(path) ?? []);
    const finding = models === undefined ? missing(expected) : compare(expected, models);
    if (finding === undefined) return [];
    const size = models?.reduce((sum, model) => sum + model.size, 0) ?? 0;
    const digests = { whole: new Map(), shards: [] };
    const findings = [finding];
    const format = models === undefined ? 'missing' : 'folder';
    return [
      { model: { path: expected.path, format, size, sha256: '', digests, findings }, expected: [expected], findings },
    ];
  });
}

function missing({ manifest }: Expectation): ModelFinding {
  return { severity: 'mismatch', rule: 'missing', message: `the folder is listed in "${manifest}" but is not there` };
}

function compare({ path, digest }: Expectation, models: readonly InspectedModel[]): ModelFinding | undefined {
  if (digest === undefined) return undefined;
  const files = models.map((model) => ({
    path: posix.relative(path, model.path),
    md5: model.digests.whole.get(digest.algorithm) ?? '',
  }));
  const actual = digestOfTrackedFolder(files);
  if (actual === digest.hex) return undefined;
  const message = `the list of its ${models.length} files has the MD5 ${actual}, but ${digest.hex} is expected: one is another, is missing or was added`;
  return { severity: 'mismatch', rule: 'checksum', message };
}
