/** A text of a compose file with its variables replaced. */
export interface Interpolated {
  readonly value: string;
  /** Variables that have no value and no default; compose puts nothing in their place. */
  readonly unset: readonly string[];
}

const MAX_DEPTH = 16;

/**
 * Replaces `$X`, `${X}`, `${X:-d}`, `${X-d}`, `${X:+a}`, `${X+a}`, `${X:?m}`, `${X?m}` and `$$` as compose does
 * (compose-specification, "Interpolation"). Variables come from the `.env` in the repository alone: a runner's own
 * environment must not decide which images there are.
 */
export function interpolate(text: string, variables: ReadonlyMap<string, string>, depth = 0): Interpolated {
  const unset: string[] = [];
  let value = '';
  let position = 0;
  while (position < text.length) {
    const dollar = text.indexOf('$', position);
    if (dollar === -1 || depth > MAX_DEPTH) {
      value += text.slice(position);
      break;
    }
    value += text.slice(position, dollar);
    const reference = readReference(text, dollar);
    position = reference.end;
    if (reference.literal !== undefined) {
      value += reference.literal;
      continue;
    }
    const found = resolve(reference, variables, depth);
    value += found.value;
    unset.push(...found.unset);
  }
  return { value, unset };
}

interface Reference {
  readonly end: number;
  /** Set for `$$`, and for a `$` that begins nothing. */
  readonly literal?: string;
  readonly name: string;
  readonly operator: string;
  readonly word: string;
}

function readReference(text: string, dollar: number): Reference {
  const none = { name: '', operator: '', word: '' };
  if (text.startsWith('$$', dollar)) return { ...none, end: dollar + 2, literal: '$' };
  const [plain, name] = /^\$([A-Za-z_]\w*)/.exec(text.slice(dollar)) ?? [];
  if (plain !== undefined && name !== undefined) return { ...none, end: dollar + plain.length, name };
  const [head, braced, operator] = /^\$\{([A-Za-z_]\w*)(:?[-+?])?/.exec(text.slice(dollar)) ?? [];
  const end = head === undefined ? -1 : closingBrace(text, dollar + head.length);
  if (head === undefined || braced === undefined || end === -1) return { ...none, end: dollar + 1, literal: '$' };
  return { end: end + 1, name: braced, operator: operator ?? '', word: text.slice(dollar + head.length, end) };
}

function closingBrace(text: string, start: number): number {
  let open = 0;
  for (let position = start; position < text.length; position += 1) {
    if (text.startsWith('${', position)) open += 1;
    if (text.charAt(position) !== '}') continue;
    if (open === 0) return position;
    open -= 1;
  }
  return -1;
}

function resolve(
  { name, operator, word }: Reference,
  variables: ReadonlyMap<string, string>,
  depth: number,
): Interpolated {
  const found = variables.get(name);
  const isSet = found !== undefined && !(operator.startsWith(':') && found === '');
  if (operator.endsWith('+')) return isSet ? interpolate(word, variables, depth + 1) : { value: '', unset: [] };
  if (isSet) return { value: found, unset: [] };
  return operator.endsWith('-') ? interpolate(word, variables, depth + 1) : { value: '', unset: [name] };
}

/** Reads a `.env` file: `NAME=value` lines, `#` comments, quotes around values, an optional `export`. */
export function readEnvironmentFile(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, quoted, doubled, bare = ''] =
      /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^#]*?))\s*(?:\s#.*)?$/.exec(line) ?? [];
    if (name !== undefined) variables.set(name, quoted ?? doubled ?? bare.trim());
  }
  return variables;
}
