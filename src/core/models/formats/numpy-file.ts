import type { ByteSource } from '../byte-source.ts';
import { slice } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import { interpretPickle } from '../pickle/interpreter.ts';
import type { ReadContext } from '../read-context.ts';

const MAX_HEADER = 1024 * 1024;

/** A type is a text, or a list of tuples of texts, lists and sizes; numpy reads the header as a literal. */
const LITERAL_TYPE = /^[\s[\](),\dLu]*$/;

/** The first bytes of a `.npy` file. */
export const NUMPY_MAGIC = Buffer.from('\x93NUMPY', 'latin1');

/**
 * Checks a `.npy` file: an array of objects is a pickle behind the header, every other array is plain numbers.
 * Source: NEP 1 and numpy/lib/format.py.
 */
export function readNumpy(source: ByteSource, context: ReadContext): FormatReport {
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
  const [, type] = /'descr'\s*:\s*(.+?),\s*'(?:fortran_order|shape)'/s.exec(header) ?? [];
  const shape = shapeOf(header);
  if (type === undefined || !LITERAL_TYPE.test(type.replace(/'[^']*'/g, '')) || shape === undefined) {
    const message = 'the header does not name a type and a shape';
    return { format: 'numpy', findings: [{ severity: 'suspicious', rule: 'numpy', message, offset: 8 + width }] };
  }
  const parameters = shape.reduce((product, dimension) => product * dimension, 1n);
  const report = { format: 'numpy', tensors: 1, parameters: Number(parameters) } as const;
  if (!/O/.test(type.replace(/'[^'O]*'/g, '')))
    return { ...report, findings: checkLength(type, parameters, source.size - start, start) };
  const { findings } = interpretPickle(slice(source, start, source.size - start), 0, context);
  return { ...report, findings: findings.map((finding) => ({ ...finding, offset: start + (finding.offset ?? 0) })) };
}

/** The dimensions of `'shape': (2, 3), `; undefined where the header has none. */
function shapeOf(header: string): readonly bigint[] | undefined {
  const [, text] = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header) ?? [];
  const dimensions = text?.split(',').flatMap((part) => (/\d/.test(part) ? [BigInt(part.replace(/\D/g, ''))] : []));
  return dimensions !== undefined && dimensions.length <= 64 ? dimensions : undefined;
}

/** Numbers of a plain type must fill the file exactly; structured types do not tell their size in a few letters. */
function checkLength(type: string, elements: bigint, actual: number, offset: number): readonly ModelFinding[] {
  const [, kind, width = ''] = /^'[<>|=]?([biufcSUV])(\d{1,6})'$/.exec(type) ?? [];
  if (kind === undefined) return [];
  const needed = elements * BigInt(width) * (kind === 'U' ? 4n : 1n);
  if (needed === BigInt(actual)) return [];
  const message = `its shape and type need ${needed} bytes, but ${actual} follow the header`;
  return [{ severity: 'mismatch', rule: 'numpy', message, offset }];
}
