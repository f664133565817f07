import type { ByteSource } from './byte-source.ts';
import { slice } from './byte-source.ts';
import type { FormatReport } from './model-finding.ts';
import { interpretPickle } from './pickle-interpreter.ts';

const MAX_HEADER = 1024 * 1024;

/**
 * Checks a `.npy` file: an array of objects is a pickle behind the header, every other array is plain numbers.
 * Source: NEP 1 and numpy/lib/format.py.
 */
export function readNumpy(source: ByteSource, allowed: ReadonlySet<string>): FormatReport {
  const major = source.read(6, 1)[0] ?? 0;
  const width = major === 1 ? 2 : 4;
  const lengthBytes = source.read(8, width);
  const length = lengthBytes.length < width ? Number.POSITIVE_INFINITY : lengthBytes.readUIntLE(0, width);
  const start = 8 + width + length;
  if (major < 1 || major > 3 || length > MAX_HEADER || start > source.size) {
    return {
      format: 'numpy',
      findings: [{ severity: 'mismatch', rule: 'numpy', message: 'the header is broken', offset: 6 }],
    };
  }
  const header = source.read(8 + width, length).toString('latin1');
  const type = /'descr'\s*:\s*(.+?),\s*'fortran_order'/s.exec(header)?.[1];
  if (type === undefined) {
    return {
      format: 'numpy',
      findings: [{ severity: 'suspicious', rule: 'numpy', message: 'the header names no type', offset: 8 + width }],
    };
  }
  if (!/O/.test(type.replace(/'[^'O]*'/g, ''))) return { format: 'numpy', tensors: 1, findings: [] };
  const { findings } = interpretPickle(slice(source, start, source.size - start), 0, allowed);
  return {
    format: 'numpy',
    tensors: 1,
    findings: findings.map((finding) => ({ ...finding, offset: start + (finding.offset ?? 0) })),
  };
}
