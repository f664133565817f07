import { join } from 'node:path';
import type { DigestAlgorithm } from '../../core/models/digest-plan.ts';
import type { InspectionJob } from '../../core/models/inspect-model.ts';
import type { Expectation } from '../../core/models/manifest/expected-file.ts';
import type { SignedFile } from '../../core/models/signing/list-signed.ts';
import type { SignedFolder } from './signed-folder.ts';

export interface JobOptions {
  readonly root: string;
  readonly temp: string;
  readonly scans: boolean;
  readonly scanTimeout: number;
  readonly allowedGlobals: readonly string[];
}

/** One job for each model, and one for each other file of the signed folder, of which only the digest is wanted. */
export function planJobs(
  paths: readonly string[],
  expectations: readonly Expectation[],
  signed: SignedFolder | undefined,
  options: JobOptions,
): readonly InspectionJob[] {
  const models = new Set(paths);
  const expected = Map.groupBy(expectations, ({ path }) => path);
  const signedPaths = new Set(signed?.files.filter(isRead(signed)).map(({ rootPath }) => rootPath));
  return [...new Set([...paths, ...signedPaths])].map((path) => {
    const mine = expected.get(path) ?? [];
    const statement = signedPaths.has(path) ? signed?.statement : undefined;
    const algorithms = new Set<DigestAlgorithm>([
      'sha256',
      ...mine.flatMap(({ digest, measure }) => digest?.algorithm ?? measure ?? []),
    ]);
    if (statement !== undefined && statement.shardSize === undefined) algorithms.add(statement.algorithm);
    const shardSize = statement?.shardSize;
    return {
      file: join(options.root, path),
      path,
      plan: {
        algorithms: [...algorithms],
        shards:
          statement === undefined || shardSize === undefined
            ? undefined
            : { algorithm: statement.algorithm, size: shardSize },
      },
      scans: options.scans && models.has(path),
      scanTimeout: options.scanTimeout,
      allowedGlobals: [...options.allowedGlobals, ...mine.flatMap(({ allow = [] }) => allow)],
      temp: options.temp,
    };
  });
}

/** A link that the signature forbids is a finding, and is not followed; one that leads to no file cannot be. */
function isRead({ statement }: SignedFolder): (file: SignedFile) => boolean {
  return ({ isLink, isFile }) => isFile && (!isLink || statement.allowsLinks);
}
