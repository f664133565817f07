import type { ByteSource } from './byte-source.ts';
import type { FormatReport, ModelFinding } from './model-finding.ts';
import { interpretPickle } from './pickle-interpreter.ts';

/** A legacy `torch.save` starts with the pickle of this number (torch/serialization.py, MAGIC_NUMBER). */
const LEGACY_MAGIC = Buffer.from('8a0a6cfc9c46f920a86a50192e', 'hex');
/** Magic, protocol, system, object and storage keys; behind them stand the weights. */
const LEGACY_PICKLES = 5;
/** Pickles one behind the other in one file; each costs at least two bytes. */
const MAX_PICKLES = 10_000;

/** True for a file of stacked pickles as `torch.save` wrote it before its zip format. */
export function isLegacyTorch(head: Buffer): boolean {
  return head
    .subarray(head[0] === 0x80 ? 2 : 0)
    .subarray(0, LEGACY_MAGIC.length)
    .equals(LEGACY_MAGIC);
}

/**
 * Reads every pickle of a file, not the first alone: what the first loader leaves, the next one reads.
 * Bytes behind the last pickle are weights in a legacy PyTorch file, and a finding in any other.
 */
export function readPickleFile(source: ByteSource, isTorch: boolean, allowed: ReadonlySet<string>): FormatReport {
  const findings: ModelFinding[] = [];
  let position = 0;
  for (let index = 0; position < source.size && index < (isTorch ? LEGACY_PICKLES : MAX_PICKLES); index += 1) {
    const report = interpretPickle(source, position, allowed);
    findings.push(...report.findings);
    if (report.end === undefined) break;
    position = report.end;
  }
  return { format: isTorch ? 'pytorch-legacy' : 'pickle', findings };
}
