import { u32 } from './tensors.ts';

interface Table {
  /** Bytes of each field, or the part that it leads to. */
  readonly fields: readonly (Buffer | Part | undefined)[];
}
type Part =
  | Table
  | { readonly text: string }
  | { readonly bytes: Buffer; readonly says?: number }
  | { readonly list: readonly Part[] };

/** A TensorFlow Lite model with these custom operators and a builtin one; its buffer may say another length than it has. */
export function tflite(
  custom: readonly string[],
  buffer: { readonly size?: number; readonly says?: number } = {},
): Buffer {
  const operators = custom.map(
    (name): Part => ({ fields: [Buffer.from([32, 0, 0, 0]), { text: name }, undefined, u32(32)] }),
  );
  const { size = 16 } = buffer;
  const content: Part =
    buffer.says === undefined ? { bytes: Buffer.alloc(size) } : { bytes: Buffer.alloc(size), says: buffer.says };
  const model: Table = {
    fields: [
      u32(3),
      { list: [...operators, { fields: [Buffer.from([3, 0, 0, 0])] }] },
      { list: [{ fields: [{ list: [{ fields: [] }, { fields: [] }] }] }] },
      { text: 'a model' },
      { list: [{ fields: [] }, { fields: [content] }] },
    ],
  };
  return flatbuffer(model, 'TFL3');
}

/** Lays parts out front to back: in FlatBuffers offsets lead forward. */
function flatbuffer(root: Table, identifier: string): Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  const append = (bytes: Buffer): number => {
    const at = length;
    const padded = Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
    chunks.push(padded);
    length += padded.length;
    return at;
  };
  const patches: { readonly at: number; readonly part: Part }[] = [];
  const start = append(Buffer.alloc(4));
  append(Buffer.from(identifier));
  patches.push({ at: start, part: root });
  const targets: { readonly at: number; readonly to: number }[] = [];
  for (let patch = patches.shift(); patch !== undefined; patch = patches.shift())
    targets.push({ at: patch.at, to: write(patch.part) });
  const bytes = Buffer.concat(chunks);
  for (const { at, to } of targets) bytes.writeUInt32LE(to - at, at);
  return bytes;

  function write(part: Part): number {
    if ('text' in part)
      return append(Buffer.concat([u32(Buffer.byteLength(part.text)), Buffer.from(part.text), Buffer.alloc(1)]));
    if ('bytes' in part) return append(Buffer.concat([u32(part.says ?? part.bytes.length), part.bytes]));
    if ('list' in part) {
      const at = append(Buffer.concat([u32(part.list.length), Buffer.alloc(part.list.length * 4)]));
      part.list.forEach((each, index) => void patches.push({ at: at + 4 + index * 4, part: each }));
      return at;
    }
    const places = part.fields.map((each, index) => (each === undefined ? 0 : 4 + index * 4));
    const vtable = Buffer.alloc(4 + part.fields.length * 2);
    vtable.writeUInt16LE(vtable.length, 0);
    vtable.writeUInt16LE(4 + part.fields.length * 4, 2);
    places.forEach((place, index) => void vtable.writeUInt16LE(place, 4 + index * 2));
    const vtableAt = append(vtable);
    const back = Buffer.alloc(4);
    back.writeInt32LE(length - vtableAt);
    const at = append(
      Buffer.concat([back, ...part.fields.map((each) => (Buffer.isBuffer(each) ? each : Buffer.alloc(4)))]),
    );
    part.fields.forEach((each, index) => {
      if (each !== undefined && !Buffer.isBuffer(each)) patches.push({ at: at + 4 + index * 4, part: each });
    });
    return at;
  }
}
