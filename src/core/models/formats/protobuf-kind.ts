import type { ByteSource } from '../byte-source.ts';
import { ProtobufError, ProtobufWalker } from './protobuf.ts';

export type ProtobufKind = 'onnx' | 'saved-model' | 'tensorflow-graph';

/** Fields of onnx.proto's ModelProto: numbers, and those of them that are plain numbers. */
const ONNX_FIELDS = new Set([1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26]);
const ONNX_VARINTS = new Set([1, 5]);
/** A message of a model has few fields of its own; a graph has one for every operator. */
const MAX_FIELDS = 2_000_000;

/**
 * Which model a protocol buffer is, by the fields of its outermost message; undefined for none. These formats have no
 * magic number: the whole message must be walked, which costs a few reads because values are passed over.
 */
export function protobufKind(source: ByteSource): ProtobufKind | undefined {
  const counts = new Map<string, number>();
  let count = 0;
  try {
    for (const { number, wire } of new ProtobufWalker(source).fields()) {
      const key = `${number} ${wire}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      count += 1;
      if (counts.size > 16 || count > MAX_FIELDS) return undefined;
    }
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    // A model that is cut off still starts as one: its reader says where it ends.
    return source.size > 16 && counts.has('1 varint') && (counts.has('2 bytes') || counts.has('8 bytes'))
      ? 'onnx'
      : undefined;
  }
  const keys = [...counts.keys()].map((key) => key.split(' '));
  const has = (key: string): boolean => counts.has(key);
  if (has('7 bytes') && keys.every(([number, wire]) => isOnnxField(Number(number), wire))) return 'onnx';
  if (has('1 varint') && has('2 bytes') && counts.size === 2) return 'saved-model';
  const isGraph = keys.every(([number, wire]) =>
    ['1 bytes', '2 bytes', '3 varint', '4 bytes'].includes(`${number} ${wire}`),
  );
  return isGraph && has('1 bytes') ? 'tensorflow-graph' : undefined;
}

function isOnnxField(number: number, wire: string | undefined): boolean {
  return ONNX_FIELDS.has(number) && (wire === 'varint') === ONNX_VARINTS.has(number);
}
