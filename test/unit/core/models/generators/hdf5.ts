import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import h5wasm from 'h5wasm/node';

/** An HDF5 file as the HDF group's own library writes it, with these attributes on its root group and one data set. */
export async function hdf5(
  attributes: Readonly<Record<string, string>>,
  format: 'earliest' | 'latest' = 'earliest',
): Promise<Buffer> {
  await h5wasm.ready;
  const folder = mkdtempSync(join(tmpdir(), 'slipway-hdf5-'));
  try {
    const path = join(folder, 'model.h5');
    const file = new h5wasm.File(path, 'w', { libver: format });
    for (const [name, value] of Object.entries(attributes)) file.create_attribute(name, value);
    file
      .create_group('model_weights')
      .create_dataset({ name: 'kernel', data: new Float32Array([1, 2, 3, 4]), shape: [2, 2] });
    file.close();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The oldest layout, which h5py still writes by default: superblock 0, object header 1, an attribute of version 1. */
export function oldHdf5(name: string, value: string): Buffer {
  const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
  const title = Buffer.from(`${name}\0`);
  const type = Buffer.alloc(8);
  type.writeUInt8(0x13, 0);
  type.writeUInt32LE(Buffer.byteLength(value), 4);
  const space = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
  const sizes = Buffer.alloc(8);
  sizes.writeUInt8(1, 0);
  [title.length, type.length, space.length].forEach((size, index) => void sizes.writeUInt16LE(size, 2 + index * 2));
  const attribute = Buffer.concat([sizes, padded(title), padded(type), padded(space), padded(Buffer.from(value))]);
  const message = Buffer.alloc(8);
  message.writeUInt16LE(0x0c, 0);
  message.writeUInt16LE(attribute.length, 2);
  const header = Buffer.alloc(16);
  header.writeUInt8(1, 0);
  header.writeUInt16LE(1, 2);
  header.writeUInt32LE(message.length + attribute.length, 8);
  const superblock = Buffer.alloc(96);
  superblock.write('\x89HDF\r\n\x1a\n', 'latin1');
  superblock.writeUInt8(8, 13);
  superblock.writeUInt8(8, 14);
  superblock.writeBigUInt64LE(96n, 24 + 32 + 8);
  return Buffer.concat([superblock, header, message, attribute]);
}
