import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipPart {
  readonly name: string;
  readonly content: Buffer;
  readonly isDeflated?: boolean;
  /** Lies for hostile archives. */
  readonly localName?: string;
  readonly crc?: number;
  readonly flags?: number;
  readonly size?: number;
}

/** A zip of these entries; `comment` and `prefix` make the archives that readers disagree on. */
export function zip(
  parts: readonly ZipPart[],
  more: { readonly comment?: Buffer; readonly prefix?: Buffer } = {},
): Buffer {
  const chunks: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const part of parts) {
    const raw = part.isDeflated === true ? deflateRawSync(part.content) : part.content;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(part.flags ?? 0, 2);
    common.writeUInt16LE(part.isDeflated === true ? 8 : 0, 4);
    common.writeUInt32LE(part.crc ?? crc32(part.content), 10);
    common.writeUInt32LE(raw.length, 14);
    common.writeUInt32LE(part.size ?? part.content.length, 18);
    const localName = Buffer.from(part.localName ?? part.name);
    const name = Buffer.from(part.name);
    const local = Buffer.from(common);
    local.writeUInt16LE(localName.length, 22);
    common.writeUInt16LE(name.length, 22);
    const header = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), local, localName, raw]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), Buffer.from([20, 0]), common, tail, name]));
    chunks.push(header);
    offset += header.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(more.comment?.length ?? 0, 20);
  return Buffer.concat([more.prefix ?? Buffer.alloc(0), ...chunks, directory, end, more.comment ?? Buffer.alloc(0)]);
}

/** A PyTorch file around a pickle and some weights. */
export function torchZip(dataPickle: Buffer, ...more: readonly ZipPart[]): Buffer {
  return zip([
    { name: 'best/data.pkl', content: dataPickle },
    { name: 'best/byteorder', content: Buffer.from('little') },
    { name: 'best/data/0', content: Buffer.alloc(64, 7) },
    { name: 'best/version', content: Buffer.from('3\n') },
    ...more,
  ]);
}
