/** Why a text is no JSON object, and where. */
interface Problem {
  readonly message: string;
  readonly offset: number;
}

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE] = [0x22, 0x5c, 0x2c, 0x3a, 0x7b, 0x7d];
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);

/** Parts of one value: each becomes an object of its own, and ten million empty lists are 30 MB of text and 900 of heap. */
const MAX_PARTS = 500_000;

/**
 * Reads the members of a JSON object one by one, also those whose name is there twice, which `JSON.parse` drops; and
 * holds one at a time, so that a header of 30 MB does not become a heap of 300. A member that `isWanted` leaves out is
 * passed over, and its value is undefined. Returns why the text is no object.
 */
export function readMembers(
  text: Buffer,
  visit: (name: string, value: unknown) => void,
  isWanted: (name: string) => boolean = () => true,
): Problem | undefined {
  let position = skipBlanks(text, 0);
  if (text[position] !== OPEN) return { message: 'the header is no JSON object', offset: position };
  position = skipBlanks(text, position + 1);
  if (text[position] === CLOSE) return endOf(text, position + 1);
  for (;;) {
    const nameEnd = valueEnd(text, position);
    const colon = skipBlanks(text, nameEnd);
    const start = skipBlanks(text, colon + 1);
    const end = valueEnd(text, start);
    const name = parse(text.subarray(position, nameEnd));
    if (typeof name !== 'string' || text[colon] !== COLON || start === end)
      return { message: 'the header is no JSON object', offset: position };
    const bytes = isWanted(name) ? text.subarray(start, end) : undefined;
    if (bytes !== undefined && countParts(bytes) > MAX_PARTS)
      return { message: `a value has more than the ${MAX_PARTS} parts that are read`, offset: start };
    const value = bytes === undefined ? undefined : parse(bytes);
    if (bytes !== undefined && value === undefined)
      return { message: 'the header is no JSON object', offset: position };
    visit(name, value);
    const next = skipBlanks(text, end);
    if (text[next] === CLOSE) return endOf(text, next + 1);
    if (text[next] !== COMMA) return { message: 'the header is no JSON object', offset: next };
    position = skipBlanks(text, next + 1);
  }
}

/** Blanks may follow the object: writers align with them. */
function endOf(text: Buffer, position: number): Problem | undefined {
  const end = skipBlanks(text, position);
  return end === text.length ? undefined : { message: 'something follows the JSON object of the header', offset: end };
}

function skipBlanks(text: Buffer, from: number): number {
  let position = from;
  while (position < text.length && [0x20, 0x09, 0x0a, 0x0d].includes(text[position] ?? 0)) position += 1;
  return position;
}

/** The place behind a value that starts here; whether it is one says `parse`. */
function valueEnd(text: Buffer, start: number): number {
  let depth = 0;
  for (let position = start; position < text.length; position += 1) {
    const sign = text[position] ?? 0;
    if (sign === QUOTE) position = stringEnd(text, position);
    else if (OPENING.has(sign)) depth += 1;
    else if (depth === 0 && (CLOSING.has(sign) || sign === COMMA || sign === COLON)) return position;
    else if (CLOSING.has(sign)) depth -= 1;
    if (depth === 0 && (sign === QUOTE || CLOSING.has(sign))) return position + 1;
  }
  return text.length;
}

/** The place of the quote that ends a string. */
function stringEnd(text: Buffer, start: number): number {
  for (let position = start + 1; position < text.length; position += 1) {
    if (text[position] === BACKSLASH) position += 1;
    else if (text[position] === QUOTE) return position;
  }
  return text.length;
}

/** At most so many values stand in a JSON text: each but the first has a comma, a bracket or a brace before it. */
export function countParts(text: Buffer): number {
  let count = 1;
  for (const byte of text) if (byte === COMMA || OPENING.has(byte)) count += 1;
  return count;
}

/** True for the value of a member that starts here and reaches to the end of the text, blanks aside. */
export function isOneValue(text: Buffer): boolean {
  const start = skipBlanks(text, 0);
  const end = valueEnd(text, start);
  return end > start && CLOSING.has(text[end - 1] ?? 0) && skipBlanks(text, end) === text.length;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    // A nesting that overflows the parser's stack is a RangeError.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}
