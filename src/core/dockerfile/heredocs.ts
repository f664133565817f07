/** A document that stands in the Dockerfile itself, behind the instruction that names it. */
export interface Heredoc extends HeredocHead {
  readonly content: string;
}

export interface HeredocHead {
  readonly name: string;
  /** `<<-NAME`: leading tabs are taken off. */
  readonly isIndented: boolean;
  /** False when the name is quoted: variables in the body stay as they are. */
  readonly isExpanded: boolean;
}

/** BuildKit's pattern: a file descriptor, `<<`, an optional dash, and a name without `<`. */
const HEAD = /^\d*<<(-?)([^<]+)$/;

/** The heredocs that the words of an instruction announce, in order. Quoted words such as `"<<EOF"` announce none. */
export function readHeredocHeads(text: string): readonly HeredocHead[] {
  return splitRawWords(text).flatMap((word) => {
    const head = readHeredocHead(word);
    return head === undefined ? [] : [head];
  });
}

/** Reads a word like `<<EOF`, `3<<-"EOF"`; undefined for any other word. */
export function readHeredocHead(word: string): HeredocHead | undefined {
  const [, dash, quoted] = HEAD.exec(word) ?? [];
  if (quoted === undefined || splitRawWords(quoted).length !== 1) return undefined;
  const name = unquote(quoted);
  return { name, isIndented: dash === '-', isExpanded: name === quoted };
}

/** Splits at white space outside of quotes; quotes and backslashes stay in the words. */
export function splitRawWords(text: string): readonly string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let position = 0; position < text.length; position += 1) {
    const character = text.charAt(position);
    if (character === '\\' && quote !== "'") {
      position += 1;
      word += character + text.charAt(position);
      continue;
    }
    if (quote === '' && /\s/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
    word += character;
  }
  if (word !== '') words.push(word);
  return words;
}

function unquote(word: string): string {
  return word.replace(/\\(.)|["']/g, (_, escaped: string | undefined) => escaped ?? '');
}
