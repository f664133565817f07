import type { ByteSource } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import type { ReadContext } from '../read-context.ts';
import { interpretPickle } from './interpreter.ts';

/** A legacy `torch.save` starts with the pickle of this number (torch/serialization.py, MAGIC_NUMBER). */
const LEGACY_MAGIC = Buffer.from('8a0a6cfc9c46f9206aa850192e', 'hex');
/** Magic, protocol, system, object and storage keys; behind them stand the weights. */
const LEGACY_PICKLES = 5;
/** Pickles one behind the other in one file. */
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
export function readStackedPickles(source: ByteSource, isTorch: boolean, context: ReadContext): FormatReport {
  const findings: ModelFinding[] = [];
  let position = 0;
  let tensors = 0;
  let parameters = 0;
  const limit = isTorch ? LEGACY_PICKLES : MAX_PICKLES;
  for (let index = 0; position < source.size && index < limit; index += 1) {
    const report = interpretPickle(source, position, context);
    findings.push(...report.findings);
    tensors += report.tensors;
    parameters += report.parameters;
    if (report.end === undefined) {
      position = source.size;
      break;
    }
    position = report.end;
  }
  if (!isTorch && position < source.size) {
    const message = `more than ${MAX_PICKLES} pickles stand one behind the other, and the rest was not read`;
    findings.push({ severity: 'suspicious', rule: 'pickle-broken', message, offset: position });
  }
  return {
    format: isTorch ? 'pytorch-legacy' : 'pickle',
    ...(tensors === 0 ? {} : { tensors, parameters }),
    findings,
  };
}
