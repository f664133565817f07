/** Assembles pickles by hand, so that tests can write what no honest pickler would. */

const lengths = {
  1: (size: number): Buffer => Buffer.from([size]),
  4(size: number): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(size);
    return bytes;
  },
};

export const op = {
  proto: (version: number): Buffer => Buffer.from([0x80, version]),
  global: (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`),
  stackGlobal: Buffer.from([0x93]),
  text(value: string): Buffer {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([0x8c]), lengths[1](bytes.length), bytes]);
  },
  longText(value: string): Buffer {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from('X'), lengths[4](bytes.length), bytes]);
  },
  bytes(value: Buffer): Buffer {
    return Buffer.concat([Buffer.from('B'), lengths[4](value.length), value]);
  },
  string: (value: string): Buffer => Buffer.from(`S'${value}'\n`),
  inst: (module: string, name: string): Buffer => Buffer.from(`i${module}\n${name}\n`),
  mark: Buffer.from('('),
  tuple: Buffer.from('t'),
  tuple1: Buffer.from([0x85]),
  emptyTuple: Buffer.from(')'),
  emptyDict: Buffer.from('}'),
  reduce: Buffer.from('R'),
  object: Buffer.from('o'),
  newObject: Buffer.from([0x81]),
  newObjectEx: Buffer.from([0x92]),
  build: Buffer.from('b'),
  pop: Buffer.from('0'),
  none: Buffer.from('N'),
  memoize: Buffer.from([0x94]),
  get: (key: number): Buffer => Buffer.from(`g${key}\n`),
  put: (key: number): Buffer => Buffer.from(`p${key}\n`),
  extension: (code: number): Buffer => Buffer.from([0x82, code]),
  persistentId: Buffer.from('Q'),
  stop: Buffer.from('.'),
};

/** The instructions one behind the other. */
export function pickle(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}

/** Calls what stands on the stack with `"id"`, and ends. */
export const CALL = [op.string('id'), op.tuple1, op.reduce, op.stop] as const;

/** `os.system("id")`, the payload of most samples. */
export const PAYLOAD = pickle(op.proto(2), op.global('os', 'system'), ...CALL);

/** `OrderedDict()`, as every state dict starts. */
export const BENIGN = pickle(op.proto(2), op.global('collections', 'OrderedDict'), op.emptyTuple, op.reduce, op.stop);
