/** Evaluates `${{ … }}` with GitHub's own expression library over plain JSON contexts. */
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';

export type ExpressionData = data.ExpressionData;

export interface ExpressionFunction {
  readonly name: string;
  readonly minArgs: number;
  readonly maxArgs: number;
  readonly call: (...args: unknown[]) => unknown;
}

export interface ExpressionScope {
  /** Every context an expression may name; any other name is an error, as on GitHub. */
  readonly contexts: Readonly<Record<string, unknown>>;
  readonly functions?: readonly ExpressionFunction[];
}

const statusFunctions = new Set(['success', 'failure', 'always', 'cancelled']);

/** The library's token kinds, by what they look like: its enum is not exported. */
const isString = (lexeme: string): boolean => lexeme.startsWith("'");

function tokenize(expression: string) {
  const { tokens } = new Lexer(expression).lex();
  for (const token of tokens) {
    // The lexer undoes the first doubled quote of a string only.
    if (isString(token.lexeme)) token.value = token.lexeme.slice(1, -1).replaceAll("''", "'");
  }
  return tokens;
}

export function toExpressionData(value: unknown): ExpressionData {
  if (value === undefined || value === null) return new data.Null();
  if (typeof value === 'string') return new data.StringData(value);
  if (typeof value === 'number') return new data.NumberData(value);
  if (typeof value === 'boolean') return new data.BooleanData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(toExpressionData));
  if (typeof value === 'object') {
    return dictionaryOf(Object.entries(value));
  }
  throw new TypeError(`a ${typeof value} cannot be part of an expression context`);
}

/** The library keeps its keys in a plain object and so loses a key such as `constructor`; one without prototype keeps all. */
function dictionaryOf(entries: readonly (readonly [string, unknown])[]): data.Dictionary {
  const dictionary = new data.Dictionary();
  Reflect.set(dictionary, 'indexMap', Object.create(null));
  for (const [key, item] of entries) dictionary.add(key, toExpressionData(item));
  return dictionary;
}

/** The library's fromJSON, apart from that loss of keys. */
const fromJson: ExpressionFunction = {
  name: 'fromJSON',
  minArgs: 1,
  maxArgs: 1,
  call: (value) => {
    const text = toExpressionData(value).coerceString();
    if (text.trim() === '') throw new Error('fromJSON: empty input');
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new Error('Error parsing JSON when evaluating fromJson', { cause });
    }
  },
};

export function fromExpressionData(value: ExpressionData): unknown {
  switch (value.kind) {
    case data.Kind.Array:
      return value.values().map(fromExpressionData);
    case data.Kind.Dictionary:
      return Object.fromEntries(value.pairs().map((pair) => [pair.key, fromExpressionData(pair.value)]));
    case data.Kind.Null:
      return null;
    default:
      return value.value;
  }
}

function evaluateData(expression: string, scope: ExpressionScope): ExpressionData {
  const functions = [fromJson, ...(scope.functions ?? [])].map((definition) => ({
    ...definition,
    call: (...args: ExpressionData[]) => toExpressionData(definition.call(...args.map(fromExpressionData))),
  }));
  try {
    const parsed = new Parser(tokenize(expression), Object.keys(scope.contexts), functions).parse();
    // An empty expression parses to nothing, whatever the library's types say.
    if (expression.trim() === '') return new data.Null();
    const contexts = toExpressionData(scope.contexts);
    if (!(contexts instanceof data.Dictionary)) throw new TypeError('contexts must be an object');
    const table = new Map(functions.map((definition) => [definition.name.toLowerCase(), definition]));
    return new Evaluator(parsed, contexts, table).evaluate();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The expression \${{ ${expression.trim()} }} is not valid: ${reason}`, { cause });
  }
}

/** The value of one expression (without `${{ }}`) as plain JSON. */
export function evaluate(expression: string, scope: ExpressionScope): unknown {
  return fromExpressionData(evaluateData(expression, scope));
}

type Segment = { readonly text: string } | { readonly expression: string };

/** Splits text into literal parts and expressions; `}}` within a quoted string does not end an expression. */
export function splitTemplate(text: string): readonly Segment[] {
  const segments: Segment[] = [];
  let position = 0;
  for (let start = text.indexOf('${{'); start >= 0; start = text.indexOf('${{', position)) {
    if (start > position) segments.push({ text: text.slice(position, start) });
    let quoted = false;
    let end = start + 3;
    while (end < text.length && (quoted || !text.startsWith('}}', end))) {
      if (text[end] === "'") quoted = !quoted;
      end++;
    }
    if (end >= text.length) throw new Error(`The expression is not closed with }}: ${text.slice(start)}`);
    segments.push({ expression: text.slice(start + 3, end) });
    position = end + 2;
  }
  if (position < text.length) segments.push({ text: text.slice(position) });
  return segments;
}

/** Replaces every expression in a text by its value as text. */
export function interpolate(text: string, scope: ExpressionScope): string {
  return splitTemplate(text)
    .map((segment) => ('text' in segment ? segment.text : evaluateData(segment.expression, scope).coerceString()))
    .join('');
}

/** Evaluates a YAML value at any depth: a text that is one expression keeps the expression's type. */
export function resolveTemplate(value: unknown, scope: ExpressionScope): unknown {
  if (typeof value === 'string') {
    const segments = splitTemplate(value);
    const [only] = segments;
    if (segments.length === 1 && only !== undefined && 'expression' in only) return evaluate(only.expression, scope);
    return interpolate(value, scope);
  }
  if (Array.isArray(value)) return value.map((item) => resolveTemplate(item, scope));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [interpolate(key, scope), resolveTemplate(item, scope)]),
    );
  }
  return value;
}

/** GitHub's truth: `false`, `0`, `NaN`, `''` and null are false. */
export function isTruthy(value: unknown): boolean {
  return Boolean(value);
}

/** Whether an expression calls success(), failure(), always() or cancelled(). */
export function namesStatus(expression: string): boolean {
  const tokens = tokenize(expression);
  return tokens.some(
    (token, index) => statusFunctions.has(token.lexeme.toLowerCase()) && tokens[index + 1]?.lexeme === '(',
  );
}

/** An `if:` value: absent means success(), and success() is added unless the condition names a status function. */
export function evaluateCondition(condition: unknown, scope: ExpressionScope): boolean {
  if (condition === undefined || condition === null || condition === '') return isTruthy(evaluate('success()', scope));
  const text = String(condition);
  const segments = splitTemplate(text.trim());
  const [only] = segments;
  // Text around an expression makes the whole a non-empty string, which is true: GitHub's well-known trap.
  if (segments.length > 1) return isTruthy(evaluate('success()', scope)) && interpolate(text, scope) !== '';
  const expression = only !== undefined && 'expression' in only ? only.expression : text;
  if (namesStatus(expression)) return isTruthy(evaluate(expression, scope));
  return isTruthy(evaluate('success()', scope)) && isTruthy(evaluate(expression, scope));
}

export type Status = 'success' | 'failure' | 'cancelled';

/** success(), failure(), always() and cancelled() for a given state of the job. */
export function statusFunctionsFor(status: Status): readonly ExpressionFunction[] {
  const define = (name: string, call: () => boolean): ExpressionFunction => ({ name, minArgs: 0, maxArgs: 0, call });
  return [
    define('success', () => status === 'success'),
    define('failure', () => status === 'failure'),
    define('cancelled', () => status === 'cancelled'),
    define('always', () => true),
  ];
}
