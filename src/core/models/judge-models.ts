import { isWeak } from './digest-plan.ts';
import type { InspectedModel } from './inspect-model.ts';
import type { Expectation } from './manifest/expected-file.ts';
import type { ModelFinding, ModelState } from './model-finding.ts';

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
  readonly expected: readonly Expectation[];
  readonly findings: readonly ModelFinding[];
}

/** Formats whose loaders read numbers and texts and nothing else. */
const SAFE_FORMATS: ReadonlySet<ModelState> = new Set(['safetensors', 'gguf']);

/** Holds what was read from each file against what was expected of it. Pure. */
export function judgeModels(
  models: readonly InspectedModel[],
  expectations: readonly Expectation[],
  requirements: Requirements,
): readonly JudgedModel[] {
  const expected = Map.groupBy(expectations, ({ path }) => path);
  const copies = Map.groupBy(models, ({ sha256 }) => sha256);
  return models.map((model) => {
    const mine = expected.get(model.path) ?? [];
    if (model.sha256 === '')
      return { model, expected: mine, findings: model.findings.map((each) => explain(each, mine)) };
    const findings = [
      ...mine.flatMap((each) => compareWith(model, each)),
      ...checkRequirements(model, mine, requirements),
      ...model.findings,
      ...noteCopies(model, copies.get(model.sha256) ?? []),
    ];
    return { model, expected: mine, findings };
  });
}

/** A file that is listed and not there: who lists it, and why nobody fetched it. */
function explain(finding: ModelFinding, expected: readonly Expectation[]): ModelFinding {
  const listed = expected.find(({ manifest }) => manifest !== '');
  if (finding.rule !== 'missing' || listed === undefined) return finding;
  const fix = listed.url === undefined ? '' : '; it has a "url", but "fetch" is "never"';
  return { ...finding, message: `it is listed in "${listed.manifest}" but is not there${fix}` };
}

function compareWith(model: InspectedModel, { digest, size, format }: Expectation): ModelFinding[] {
  const findings: ModelFinding[] = [];
  const actual = digest === undefined ? undefined : model.digests.whole.get(digest.algorithm);
  if (digest !== undefined && actual !== digest.hex) {
    const message = `its ${digest.algorithm} is ${actual ?? 'unknown'}, but ${digest.hex} is expected`;
    findings.push(mismatch('checksum', message));
  }
  if (size !== undefined && size !== model.size)
    findings.push(mismatch('size', `it has ${model.size} bytes, but ${size} are expected`));
  if (format !== undefined && model.format !== 'unknown' && format !== model.format)
    findings.push(mismatch('format', `it is ${model.format}, but ${format} is expected`));
  return findings;
}

function checkRequirements(
  model: InspectedModel,
  expected: readonly Expectation[],
  requirements: Requirements,
): ModelFinding[] {
  const { formats, safeFormat, minSize, maxSize } = requirements;
  const algorithms = expected.flatMap(({ digest }) => digest?.algorithm ?? []);
  return [
    ...(requirements.checksum && !algorithms.some((algorithm) => !isWeak(algorithm))
      ? [mismatch('checksum', whyUnlisted(algorithms.length > 0))]
      : []),
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

function whyUnlisted(hasMd5: boolean): string {
  return hasMd5
    ? 'only an MD5 is listed, which proves nothing against somebody who makes files to fit it; "require" asks for a checksum'
    : 'no manifest lists its digest, and "require" asks for one';
}

/** The same bytes under two names are no danger; they double what a job loads and an image carries. */
function noteCopies(model: InspectedModel, copies: readonly InspectedModel[]): ModelFinding[] {
  const other = copies.find(({ path }) => path !== model.path);
  if (other === undefined || model.size === 0) return [];
  return [{ severity: 'note', rule: 'duplicate', message: `it has the same bytes as "${other.path}"` }];
}

function mismatch(rule: string, message: string): ModelFinding {
  return { severity: 'mismatch', rule, message };
}
