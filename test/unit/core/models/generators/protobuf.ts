/** Assembles protocol buffers field by field. */

/** A number in base 128. */
export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    const more = rest > 0x7fn ? 0x80 : 0;
    bytes.push(Number(rest & 0x7fn) | more);
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** A field of a message: a number, or bytes behind their length. */
export function field(number: number, value: number | bigint | string | Buffer): Buffer {
  if (typeof value === 'number' || typeof value === 'bigint')
    return Buffer.concat([varint(number << 3), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

export function message(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

/** ONNX: a model around a graph. `more` goes behind the graph. */
export function onnx(graph: Buffer, ...more: readonly Buffer[]): Buffer {
  return message(
    field(1, 8),
    field(2, 'pytorch'),
    field(7, graph),
    field(8, message(field(1, ''), field(2, 17))),
    ...more,
  );
}

export function node(operator: string, domain = '', ...attributes: readonly Buffer[]): Buffer {
  const fields = [field(1, 'x'), field(2, 'y'), field(4, operator), ...attributes.map((each) => field(5, each))];
  return field(1, message(...fields, ...(domain === '' ? [] : [field(7, domain)])));
}

export function initializer(dims: readonly number[], ...locations: readonly string[]): Buffer {
  const external = (key: string, value: string): Buffer => field(13, message(field(1, key), field(2, value)));
  const places = locations.map((location) => external('location', location));
  const place = places.length === 0 ? [field(9, Buffer.alloc(16))] : [...places, field(14, 1)];
  return field(5, message(...dims.map((each) => field(1, each)), field(2, 1), field(8, 'w'), ...place));
}

/** TensorFlow: a node of a GraphDef. */
export function operation(operator: string): Buffer {
  return field(1, message(field(1, 'name'), field(2, operator)));
}

export function savedModel(...nodes: readonly Buffer[]): Buffer {
  return message(field(1, 1), field(2, message(field(1, message(field(2, ''))), field(2, message(...nodes)))));
}

/** A SavedModel that reads a file of this name beside it. */
export function savedModelWithAsset(name: string): Buffer {
  return message(field(1, 1), field(2, message(field(2, operation('MatMul')), field(6, message(field(2, name))))));
}

/** A library with one function of these operators. */
export function library(...operators: readonly string[]): Buffer {
  const nodes = operators.map((each) => field(3, message(field(1, 'n'), field(2, each))));
  return field(2, field(1, message(field(1, field(1, 'f')), ...nodes)));
}
