import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { JudgedModel } from '../../core/models/judge-models.ts';
import { formatChecksums } from '../../core/models/manifest/checksum-manifest.ts';

/** The outputs that the models themselves make. */
export function toOutputs(judged: readonly JudgedModel[], failures: number) {
  const models = judged.map(({ model }) => model).filter(({ sha256 }) => sha256 !== '');
  return {
    verified: judged.length - failures,
    sha256: digestOf(models),
    manifest: judged.map(({ model: { path, size, sha256, format, tensors, parameters }, findings }) => ({
      path,
      size,
      sha256,
      format,
      tensors,
      parameters,
      findings,
    })),
    labels: toLabels(models),
  };
}

function digestOf(models: readonly { readonly path: string; readonly sha256: string }[]): string {
  const [only, ...others] = models;
  if (only === undefined) return '';
  return others.length === 0 ? only.sha256 : createHash('sha256').update(formatChecksums(models)).digest('hex');
}

/** A label a model, by its file's name; by its path where two have one name. */
function toLabels(models: readonly { readonly path: string; readonly sha256: string }[]): string {
  const names = Map.groupBy(models, ({ path }) => labelName(basename(path)));
  return models
    .map(({ path, sha256 }) => {
      const name = labelName(basename(path));
      const isAlone = names.get(name)?.length === 1;
      return `dev.slipway.model.${isAlone ? name : labelName(path)}=sha256:${sha256}`;
    })
    .join('\n');
}

/** A label's key takes letters, digits, dots and dashes (Docker's guidelines for label keys). */
function labelName(path: string): string {
  return path.toLowerCase().replace(/[^a-z0-9.-]+/g, '-');
}
