import { isRecord } from '../../src/core/runner/event.ts';
import { choose, EDGES, mutateBytes, type Random } from './mutate-bytes.ts';

/** What texts are made of that parsers stumble over. */
const TOKENS = [
  '\0',
  '\n',
  '\r\n',
  '\\',
  '"',
  "'",
  '{{ self.__class__ }}',
  '{% for x in y %}',
  '../',
  '/etc/passwd',
  'C:\\x',
  '\ud800',
  '\ufeff',
  '\u202e',
  'é',
  '__proto__',
  'constructor',
  'Lambda',
  'sha256',
  'SHA256 (',
  ') = ',
  'a:0:5',
  '0',
  '-1',
  '1e999',
  '9'.repeat(40),
  '[',
  '{',
  'x'.repeat(300),
] as const;

/** Bytes as a text: tokens put in, lines doubled, dropped and swapped. */
export function mutateText(seed: Buffer, random: Random): Buffer {
  const lines = seed.toString('latin1').split('\n');
  for (let count = random(3); count >= 0; count -= 1) {
    const at = random(lines.length);
    const line = lines[at] ?? '';
    const place = random(line.length + 1);
    switch (random(4)) {
      case 0:
        lines.splice(random(lines.length), 0, line);
        break;
      case 1:
        if (lines.length > 1) lines.splice(at, 1);
        break;
      default:
        lines[at] = line.slice(0, place) + token(random) + line.slice(place + random(8));
    }
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}

/** The bytes of a JSON text with its tree changed; any other text as lines. */
export function mutateJson(seed: Buffer, _seeds: readonly Buffer[], random: Random): Buffer {
  const tree = parse(seed);
  if (tree === undefined || random(4) === 0) return mutateText(seed, random);
  return Buffer.from(JSON.stringify(mutateValue(tree, random)) ?? 'null');
}

/** A safetensors file: its header changed as JSON, or its bytes, with the length right or a lie. */
export function mutateSafetensors(seed: Buffer, seeds: readonly Buffer[], random: Random): Buffer {
  if (random(3) === 0) return mutateBytes(seed, seeds, random);
  const length = seed.length < 8 ? 0 : seed.readUInt32LE(0);
  const header = mutateJson(seed.subarray(8, 8 + length), seeds, random);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(random(5) === 0 ? choose(EDGES, random) : BigInt(header.length));
  return Buffer.concat([size, header, seed.subarray(8 + length)]);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function mutateValue(value: unknown, random: Random): unknown {
  if (random(12) === 0) return leaf(random);
  if (Array.isArray(value)) {
    const items: unknown[] = value.map((each: unknown) => (random(3) === 0 ? mutateValue(each, random) : each));
    if (random(4) === 0) items.push(...items.slice(0, random(50)));
    if (random(6) === 0) items.splice(random(items.length + 1), 1);
    return items;
  }
  if (isRecord(value)) {
    const entries = Object.entries(value).map(([key, each]): [string, unknown] => [
      random(15) === 0 ? token(random) : key,
      random(3) === 0 ? mutateValue(each, random) : each,
    ]);
    if (random(6) === 0) entries.splice(random(entries.length + 1), 1);
    if (random(6) === 0) entries.push([token(random), leaf(random)]);
    return Object.fromEntries(entries);
  }
  return random(3) === 0 ? leaf(random) : value;
}

function leaf(random: Random): unknown {
  const deep = (depth: number): unknown => (depth === 0 ? [] : [deep(depth - 1)]);
  const numbers = [-1, 0, 0.5, 1e308, ...EDGES.map(Number)];
  return choose([null, true, '', token(random), choose(numbers, random), [], {}, deep(random(200))], random);
}

function token(random: Random): string {
  return choose(TOKENS, random);
}
