import type { InspectedModel } from '../../core/models/inspect-model.ts';
import type { JudgedModel } from '../../core/models/judge-models.ts';
import type { ModelFinding } from '../../core/models/model-finding.ts';
import { compareSigned } from '../../core/models/signing/compare-signed.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { SignedFolder } from './signed-folder.ts';

const MAX_SHOWN = 20;

/**
 * Adds to each model what its signature says otherwise. What the signed folder holds besides the models must be right as
 * well: a ConfigurationError lists what is not.
 */
export function judgeSignature(
  judged: readonly JudgedModel[],
  inspected: readonly InspectedModel[],
  signed: SignedFolder | undefined,
  isRequired: boolean,
): readonly JudgedModel[] {
  if (signed === undefined) return judged;
  const read = new Map(inspected.map((each) => [each.path, each]));
  const files = signed.files.map(({ path, rootPath, isLink, isFile }) => {
    const file = read.get(rootPath);
    return { path, isLink, isFile, size: file?.size ?? 0, digests: file?.digests ?? { whole: new Map(), shards: [] } };
  });
  const rootPaths = new Map(signed.files.map(({ path, rootPath }) => [path, rootPath]));
  const found = compareSigned(signed.statement, files).map(({ path, finding }) => ({
    path: rootPaths.get(path) ?? path,
    finding,
  }));
  const models = new Set(judged.map(({ model }) => model.path));
  const others = found.filter(({ path }) => !models.has(path));
  if (others.length > 0) {
    const shown = others.slice(0, MAX_SHOWN).map(({ path, finding }) => `"${path}": ${finding.message}`);
    throw new ConfigurationError(`the folder of "${signed.signature}" is not what was signed: ${shown.join('; ')}`, {
      file: signed.signature,
    });
  }
  const covered = new Set(signed.files.map(({ rootPath }) => rootPath));
  return judged.map((each) => ({
    ...each,
    findings: [
      ...found.filter(({ path }) => path === each.model.path).map(({ finding }) => finding),
      ...(isRequired && !covered.has(each.model.path) ? [uncovered(signed.signature)] : []),
      ...each.findings,
    ],
  }));
}

function uncovered(signature: string): ModelFinding {
  return {
    severity: 'mismatch',
    rule: 'signature',
    message: `"${signature}" does not cover it, and "require" asks for a signature`,
  };
}
