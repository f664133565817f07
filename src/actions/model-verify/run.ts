import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { formatChecksums } from '../../core/models/checksum-manifest.ts';
import { type InspectedModel, inspectModel } from '../../core/models/inspect-model.ts';
import { type JudgedModel, judgeModels, type Requirements } from '../../core/models/judge-models.ts';
import type { ModelFinding } from '../../core/models/model-finding.ts';
import type { InputsOf, OutputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { Log } from '../../core/runner/log.ts';
import { ActionFailure, type Run } from '../../core/runner/run-action.ts';
import type { contract } from './contract.ts';
import { readExpectations } from './expectations.ts';
import { createProgress } from './progress.ts';
import { summarize } from './summary.ts';
import { manifestTarget } from './write-manifest.ts';

type Inputs = InputsOf<typeof contract>;

export const run: Run<typeof contract> = async (inputs, { workspace, log }) => {
  const requirements = readRequirements(inputs);
  const target = manifestTarget(workspace, inputs.writeManifest);
  const { paths, expectations } = readExpectations(inputs, workspace);

  const models: InspectedModel[] = [];
  const progress = createProgress(workspace, paths, log);
  for (const path of paths) {
    const needsSha512 = expectations.some((each) => each.path === path && each.algorithm === 'sha512');
    const allowedGlobals = new Set(inputs.allowGlobals);
    models.push(
      await inspectModel(join(workspace, path), path, {
        needsSha512,
        scans: inputs.scan !== 'off',
        allowedGlobals,
        onProgress: progress,
      }),
    );
  }

  const judged = judgeModels(models, expectations, requirements);
  const failures = reportFindings(judged, inputs.scan, log);
  const result = { outputs: toOutputs(judged, failures), summary: summarize(judged) };
  if (failures > 0) throw new ActionFailure(`${failures} of ${judged.length} models are not verified`, result);
  if (target !== undefined) writeFileSync(target, formatChecksums(models));
  log.info(
    judged.length === 0
      ? 'there is no model to verify'
      : `verified ${judged.length} ${judged.length === 1 ? 'model' : 'models'}`,
  );
  return result;
};

function readRequirements(inputs: Inputs): Requirements {
  const unknown = inputs.require.filter((word) => word !== 'checksum' && word !== 'safe-format');
  if (unknown.length > 0)
    throw new ConfigurationError(`input "require": "${unknown[0]}" is neither checksum nor safe-format`);
  return {
    checksum: inputs.require.includes('checksum'),
    safeFormat: inputs.require.includes('safe-format'),
    formats: inputs.formats,
    minSize: inputs.minSize,
    maxSize: inputs.maxSize,
  };
}

/** Says every finding at its manifest's line, and returns how many models fail. `warn` never hides a mismatch. */
function reportFindings(judged: readonly JudgedModel[], scan: Inputs['scan'], log: Log): number {
  const fails = ({ severity }: ModelFinding): boolean => severity === 'mismatch' || scan === 'error';
  for (const each of judged) {
    log.info(describe(each));
    for (const finding of each.findings) {
      const say = fails(finding) ? log.error : log.warning;
      say({
        title: `model ${finding.severity}`,
        message: `${placeOf(each, finding)}: ${finding.message}`,
        ...lineOf(each),
      });
    }
  }
  return judged.filter(({ findings }) => findings.some(fails)).length;
}

function describe({ model, expected, findings }: JudgedModel): string {
  const isExpected = expected !== undefined && !findings.some(({ rule }) => rule === 'checksum');
  return `${model.path}: ${model.format}, ${model.size} bytes, sha256 ${model.sha256}${isExpected ? ', as expected' : ''}`;
}

function placeOf({ model }: JudgedModel, { entry, offset }: ModelFinding): string {
  return `${model.path}${entry === undefined ? '' : `!${entry}`}${offset === undefined ? '' : ` at byte ${offset}`}`;
}

function lineOf({ expected }: JudgedModel): { readonly file?: string; readonly line?: number } {
  return expected === undefined || expected.manifest === '' ? {} : { file: expected.manifest, line: expected.line };
}

function toOutputs(judged: readonly JudgedModel[], failures: number): OutputsOf<typeof contract> {
  const models = judged.map(({ model }) => model);
  const [only] = models;
  return {
    verified: models.length - failures,
    sha256:
      models.length === 1
        ? only?.sha256
        : models.length === 0
          ? ''
          : createHash('sha256').update(formatChecksums(models)).digest('hex'),
    manifest: judged.map(({ model: { path, size, sha256, format, tensors, parameters }, findings }) => ({
      path,
      size,
      sha256,
      format,
      tensors,
      parameters,
      findings,
    })),
    labels: models.map(({ path, sha256 }) => `dev.slipway.model.${labelName(path)}=sha256:${sha256}`).join('\n'),
  };
}

/** A label's key takes letters, digits, dots and dashes (Docker's guidelines for label keys). */
function labelName(path: string): string {
  return basename(path)
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-');
}
