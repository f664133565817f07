import type { ExpectedFile } from './checksum-manifest.ts';
import type { InspectedModel } from './inspect-model.ts';
import type { ModelFinding, ModelFormat } from './model-finding.ts';

/** What a manifest says of one file, with the manifest's place for the annotation. */
export interface Expectation extends ExpectedFile {
  /** Relative to the workspace, with `/`. */
  readonly path: string;
  readonly manifest: string;
}

export interface Requirements {
  /** Every model must be listed with its digest. */
  readonly checksum: boolean;
  /** Only formats that hold numbers and no code. */
  readonly safeFormat: boolean;
  /** The formats allowed; empty for all. */
  readonly formats: readonly string[];
  /** Bytes. */
  readonly minSize: number | undefined;
  readonly maxSize: number | undefined;
}

/** A model, what was expected of it, and all that was found. */
export interface JudgedModel {
  readonly model: InspectedModel;
  readonly expected: Expectation | undefined;
  readonly findings: readonly ModelFinding[];
}

/** Formats whose loaders read numbers and texts and nothing else. */
const SAFE_FORMATS: ReadonlySet<ModelFormat> = new Set(['safetensors', 'gguf']);

/** Holds what was read from each file against what was expected of it. Pure. */
export function judgeModels(
  models: readonly InspectedModel[],
  expectations: readonly Expectation[],
  requirements: Requirements,
): readonly JudgedModel[] {
  const expected = new Map(expectations.map((each) => [each.path, each]));
  return models.map((model) => {
    const expectation = expected.get(model.path);
    const findings = [
      ...compareDigest(model, expectation, requirements),
      ...checkRequirements(model, requirements),
      ...model.findings,
    ];
    return { model, expected: expectation, findings };
  });
}

function compareDigest(
  model: InspectedModel,
  expected: Expectation | undefined,
  requirements: Requirements,
): ModelFinding[] {
  if (expected === undefined) {
    return requirements.checksum
      ? [mismatch('checksum', 'no manifest lists its digest, and "require" asks for one')]
      : [];
  }
  const actual = expected.algorithm === 'sha256' ? model.sha256 : model.sha512;
  if (actual === expected.digest) return [];
  return [
    mismatch('checksum', `its ${expected.algorithm} is ${actual ?? 'unknown'}, but ${expected.digest} is expected`),
  ];
}

function checkRequirements(model: InspectedModel, requirements: Requirements): ModelFinding[] {
  const { formats, safeFormat, minSize, maxSize } = requirements;
  return [
    ...(formats.length > 0 && !formats.includes(model.format)
      ? [mismatch('format', `it is ${model.format}, and only ${formats.join(', ')} are allowed`)]
      : []),
    ...(safeFormat && !SAFE_FORMATS.has(model.format)
      ? [mismatch('format', `it is ${model.format}, which is no safe format (${[...SAFE_FORMATS].join(', ')})`)]
      : []),
    ...(minSize !== undefined && model.size < minSize
      ? [mismatch('size', `it has ${model.size} bytes, fewer than "min-size" allows`)]
      : []),
    ...(maxSize !== undefined && model.size > maxSize
      ? [mismatch('size', `it has ${model.size} bytes, more than "max-size" allows`)]
      : []),
  ];
}

function mismatch(rule: string, message: string): ModelFinding {
  return { severity: 'mismatch', rule, message };
}
