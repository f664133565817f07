import type { JudgedModel } from '../../core/models/judge-models.ts';
import type { ModelFinding } from '../../core/models/model-finding.ts';
import type { Log } from '../../core/runner/log.ts';

export type Scan = 'error' | 'warn' | 'off';

/** True for a finding that fails the step: `warn` never hides a mismatch, and a note never fails. */
export function isFailure({ severity }: ModelFinding, scan: Scan): boolean {
  return severity === 'mismatch' || (severity !== 'note' && scan === 'error');
}

/** Says every finding at its manifest's line, and returns how many models fail. */
export function reportFindings(judged: readonly JudgedModel[], scan: Scan, log: Log): number {
  for (const each of judged) {
    log.info(describe(each));
    for (const finding of each.findings) {
      const say = finding.severity === 'note' ? log.notice : isFailure(finding, scan) ? log.error : log.warning;
      say({
        title: `model ${finding.severity}`,
        message: `${placeOf(each, finding)}: ${finding.message}`,
        ...lineOf(each),
      });
    }
  }
  return judged.filter(({ findings }) => findings.some((finding) => isFailure(finding, scan))).length;
}

function describe({ model, expected, findings }: JudgedModel): string {
  const isExpected =
    expected.some(({ digest }) => digest !== undefined) && !findings.some(({ rule }) => rule === 'checksum');
  return `${printable(model.path)}: ${model.format}, ${model.size} bytes, sha256 ${model.sha256}${isExpected ? ', as expected' : ''}`;
}

function placeOf({ model }: JudgedModel, { entry, offset }: ModelFinding): string {
  return `${printable(`${model.path}${entry === undefined ? '' : `!${entry}`}`)}${offset === undefined ? '' : ` at byte ${offset}`}`;
}

/** A name on one line, with signs that steer a terminal or the direction of a text written out. */
function printable(name: string): string {
  return name.replace(
    /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

function lineOf({ expected }: JudgedModel): { readonly file?: string; readonly line?: number } {
  const listed = expected.find(({ manifest }) => manifest !== '');
  return listed === undefined ? {} : { file: listed.manifest, line: listed.line };
}
