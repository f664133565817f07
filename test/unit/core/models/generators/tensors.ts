/** A safetensors file of this header; `body` bytes follow it. */
export function safetensors(header: unknown, body: number, length?: bigint): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(json.length));
  return Buffer.concat([size, json, Buffer.alloc(body)]);
}

type GgufValue = { readonly key: string; readonly type: number; readonly bytes: Buffer };
type GgufTensor = {
  readonly name: string;
  readonly shape: readonly bigint[];
  readonly offset?: bigint;
  readonly type?: number;
};

/** A GGUF file of these metadata values and tensors. */
export function gguf(
  values: readonly GgufValue[],
  tensors: readonly GgufTensor[],
  more: { readonly version?: number; readonly tensorCount?: bigint; readonly body?: number } = {},
): Buffer {
  const { version = 3, tensorCount = BigInt(tensors.length), body = 64 } = more;
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(version),
    u64(tensorCount),
    u64(BigInt(values.length)),
    ...values.flatMap(({ key, type, bytes }) => [ggufText(key), u32(type), bytes]),
    ...tensors.flatMap(({ name, shape, offset = 0n, type = 0 }) => [
      ggufText(name),
      u32(shape.length),
      ...shape.map(u64),
      u32(type),
      u64(offset),
    ]),
  ]);
  return Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32), Buffer.alloc(body)]);
}

export function ggufText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(BigInt(bytes.length)), bytes]);
}

/** A `.npy` file whose header names this type. */
export function npy(descr: string, body: Buffer): Buffer {
  const header = Buffer.from(`{'descr': ${descr}, 'fortran_order': False, 'shape': (1,), }\n`);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, header, body]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
