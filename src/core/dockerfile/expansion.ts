/**
 * What a variable holds where it is used: a text, `undefined` when it is not set, or UNKNOWN when only a build could
 * tell (a base image's environment, an argument that is given elsewhere).
 */
export type Lookup = (name: string) => string | undefined | typeof UNKNOWN;

export const UNKNOWN: unique symbol = Symbol('known only to a build');

export type Expansion = { readonly value: string } | { readonly unknown: string };

const MAX_DEPTH = 32;

/**
 * Expands one word as BuildKit's shell lexer does (frontend/dockerfile/shell): quotes and escapes are taken off;
 * `$X`, `${X}`, `${X:-d}`, `${X-d}`, `${X:+d}`, `${X+d}`, `${X:?m}`, `${X#p}`, `${X##p}`, `${X%p}`, `${X%%p}`,
 * `${X/p/r}` and `${X//p/r}` are replaced.
 *
 * A value that depends on an UNKNOWN variable, and a word that a build would refuse, come back as `unknown` with the
 * reason: the caller widens, it never guesses.
 */
export function expandWord(word: string, lookup: Lookup, escapeToken: string): Expansion {
  try {
    return { value: new Reader(word, lookup, escapeToken).readUntil('', 0) };
  } catch (error) {
    if (error instanceof Unresolved) return { unknown: error.message };
    throw error;
  }
}

class Unresolved extends Error {
  override readonly name = 'Unresolved';
}

class Reader {
  readonly #text: string;
  readonly #lookup: Lookup;
  readonly #escapeToken: string;
  #position = 0;

  constructor(text: string, lookup: Lookup, escapeToken: string) {
    this.#text = text;
    this.#lookup = lookup;
    this.#escapeToken = escapeToken;
  }

  /** Reads up to `stop` (which is consumed), or to the end when `stop` is `''`. */
  readUntil(stop: string, depth: number, keepsEscapes = false): string {
    if (depth > MAX_DEPTH) throw new Unresolved(`"${this.#text.slice(0, 60)}" nests variables too deeply`);
    let result = '';
    while (this.#position < this.#text.length) {
      const character = this.#next();
      if (character === stop) return result;
      if (character === "'") result += this.#readSingleQuoted();
      else if (character === '"') result += this.#readDoubleQuoted(depth);
      else if (character === '$') result += this.#readVariable(depth);
      else if (character === this.#escapeToken) result += (keepsEscapes ? character : '') + this.#next();
      else result += character;
    }
    if (stop !== '') throw new Unresolved(`"${this.#text}" has no "${stop}"`);
    return result;
  }

  #next(): string {
    const character = this.#text.charAt(this.#position);
    this.#position += 1;
    return character;
  }

  #readSingleQuoted(): string {
    const end = this.#text.indexOf("'", this.#position);
    if (end === -1) throw new Unresolved(`"${this.#text}" has a quote without an end`);
    const quoted = this.#text.slice(this.#position, end);
    this.#position = end + 1;
    return quoted;
  }

  #readDoubleQuoted(depth: number): string {
    let result = '';
    while (this.#position < this.#text.length) {
      const character = this.#next();
      if (character === '"') return result;
      if (character === '$') result += this.#readVariable(depth);
      else if (
        character === this.#escapeToken &&
        ['"', '$', this.#escapeToken].includes(this.#text.charAt(this.#position))
      )
        result += this.#next();
      else result += character;
    }
    throw new Unresolved(`"${this.#text}" has a quote without an end`);
  }

  #readName(): string {
    const [name = ''] = /^(?:[0-9]+|[@*#?$!-]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(this.#text.slice(this.#position)) ?? [];
    this.#position += name.length;
    return name;
  }

  #readVariable(depth: number): string {
    if (this.#text.charAt(this.#position) !== '{') {
      const name = this.#readName();
      return name === '' ? '$' : (this.#valueOf(name) ?? '');
    }
    this.#position += 1;
    const name = this.#readName();
    const operator = name === '' ? '' : this.#next();
    if (operator === '}') return this.#valueOf(name) ?? '';
    if (operator === '/') return this.#replace(name, depth);
    return this.#readModified(name, operator, depth);
  }

  /** What stands behind the name: `:-word`, `-word`, `:+word`, `+word`, `:?message`, `?message`, `#pattern`, `%pattern`. */
  #readModified(name: string, operator: string, depth: number): string {
    const countsEmptyAsUnset = operator === ':';
    const modifier = countsEmptyAsUnset ? this.#next() : operator;
    if (!['-', '+', '?', '#', '%'].includes(modifier)) throw new Unresolved(`"${this.#text}" is a bad substitution`);

    // The word behind the modifier is unread when the variable decides alone: an UNKNOWN in it then does not matter.
    const start = this.#position;
    const found = this.#valueOf(name);
    const isSet = found !== undefined && !(countsEmptyAsUnset && found === '');
    if (modifier === (isSet ? '-' : '+')) {
      this.#skipTo('}', start);
      return isSet ? found : '';
    }
    const word = this.readUntil('}', depth + 1, modifier === '#' || modifier === '%');
    if (modifier === '-' || modifier === '+') return word;
    if (modifier === '?' && !isSet) throw new Unresolved(`${name} is not set${word === '' ? '' : `: ${word}`}`);
    const value = found ?? '';
    return modifier === '?' ? value : trim(value, word, modifier);
  }

  /** Passes over a word that is not needed, with the variables nested in it. */
  #skipTo(stop: string, start: number): void {
    let open = 0;
    for (this.#position = start; this.#position < this.#text.length; ) {
      const character = this.#next();
      if (character === this.#escapeToken) this.#next();
      else if (character === '$' && this.#text.charAt(this.#position) === '{') open += 1;
      else if (character === stop && open === 0) return;
      else if (character === stop) open -= 1;
    }
    throw new Unresolved(`"${this.#text}" has no "${stop}"`);
  }

  #replace(name: string, depth: number): string {
    const isForAll = this.#text.charAt(this.#position) === '/';
    if (isForAll) this.#position += 1;
    const pattern = this.readUntil('/', depth + 1, true);
    const replacement = this.readUntil('}', depth + 1, true);
    const value = this.#valueOf(name) ?? '';
    return value.replace(new RegExp(patternSource(pattern, true), isForAll ? 'g' : ''), () => replacement);
  }

  #valueOf(name: string): string | undefined {
    const value = this.#lookup(name);
    if (value === UNKNOWN) throw new Unresolved(`$${name} is known only to the build`);
    return value;
  }
}

function trim(value: string, word: string, modifier: string): string {
  const isGreedy = word.startsWith(modifier);
  const source = patternSource(isGreedy ? word.slice(1) : word, isGreedy);
  if (modifier === '#') return value.replace(new RegExp(`^${source}`), '');
  // The shortest match at the end is the one that starts last.
  const whole = new RegExp(`^${source}$`);
  const starts = Array.from({ length: value.length + 1 }, (_, start) => (isGreedy ? start : value.length - start));
  const start = starts.find((position) => whole.test(value.slice(position)));
  return start === undefined ? value : value.slice(0, start);
}

/** A pattern of `*` and `?` as a regular expression. Throws Unresolved for one that could take forever. */
function patternSource(pattern: string, isGreedy: boolean): string {
  if ((pattern.match(/\*/g)?.length ?? 0) > 4)
    throw new Unresolved(`the pattern "${pattern}" has more than four stars`);
  return pattern
    .replace(/\\([}/*?\\])|[.+^${}()|[\]\\]/g, (text, escaped: string | undefined) => `\\${escaped ?? text}`)
    .replace(
      /(\\.)|\*|\?/g,
      (text, escaped: string | undefined) => escaped ?? (text === '?' ? '.' : isGreedy ? '.*' : '.*?'),
    );
}
