import {
  type GlobList,
  parseBoolean,
  parseBytes,
  parseChoice,
  parseDuration,
  parseGlobs,
  parseInteger,
  parseLines,
  parseList,
  parseMap,
} from './input-grammar.ts';

/**
 * An action's inputs and outputs as data.
 *
 * One declaration is the source of everything that speaks of an input: how it is read (`inputs.ts`), `action.yml`,
 * the tables of the README and `action-types.yml` (scripts/generate.ts), and the types that `run` is written against.
 */
export interface Contract<
  Inputs extends InputDeclarations = InputDeclarations,
  Outputs extends OutputDeclarations = OutputDeclarations,
> {
  /** The folder's name: `metadata-tags`. */
  readonly name: string;
  /** The name people see, such as `Slipway metadata tags`. */
  readonly title: string;
  readonly description: string;
  /** An icon of Feather and a colour that GitHub's marketplace knows. */
  readonly branding: { readonly icon: string; readonly color: BrandingColor };
  /** True when the action cleans up after the job. */
  readonly post: boolean;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
}

export type BrandingColor = 'white' | 'black' | 'yellow' | 'blue' | 'green' | 'orange' | 'red' | 'purple' | 'gray-dark';

export type InputDeclarations = Readonly<Record<string, InputDeclaration<unknown>>>;
export type OutputDeclarations = Readonly<Record<string, { readonly description: string }>>;

/** One input: how its text becomes a value, and what the documentation says of it. */
export interface InputDeclaration<Value> {
  /** The word for its type in the tables, and the type of `action-types.yml`. */
  readonly type: InputType;
  readonly description: string;
  /** The text that `action.yml` gives when the user gives none; may be an expression of GitHub's. */
  readonly default: string | undefined;
  readonly isRequired: boolean;
  readonly isSecret: boolean;
  /** What to use instead; a use of the input is then warned of. */
  readonly deprecation: string | undefined;
  /** The values of a choice. */
  readonly choices: readonly string[] | undefined;
  /** Turns a text that is not empty into the value; throws ConfigurationError that says what the text must be. */
  readonly parse: (text: string) => Value;
  /** The value of an input that was not given and has no default. */
  readonly absent: Value | undefined;
}

export type InputType =
  | 'text'
  | 'secret'
  | 'boolean'
  | 'choice'
  | 'integer'
  | 'lines'
  | 'list'
  | 'map'
  | 'globs'
  | 'duration'
  | 'size'
  | 'JSON';

/** `build-args` → `buildArgs`: inputs and outputs are kebab-case in workflows and camelCase in code. */
export type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** The typed, read-only values of a contract's inputs. */
export type InputsOf<C extends Contract> = {
  readonly [Name in keyof C['inputs'] & string as CamelCase<Name>]: C['inputs'][Name] extends InputDeclaration<
    infer Value
  >
    ? Value
    : never;
};

/** A value that leaves as an output: texts as they are, numbers and booleans as text, everything else as JSON. */
export type OutputValue = string | number | boolean | object | undefined;

/** The outputs an action may return: some or all of those it declares, and no other. */
export type OutputsOf<C extends Contract> = {
  readonly [Name in keyof C['outputs'] & string as CamelCase<Name>]?: OutputValue;
};

/** Keeps a contract's literal types. */
export function defineContract<const Inputs extends InputDeclarations, const Outputs extends OutputDeclarations>(
  contract: Contract<Inputs, Outputs>,
): Contract<Inputs, Outputs> {
  return contract;
}

interface CommonOptions {
  readonly description: string;
  readonly deprecation?: string;
}
/** With a default, or required, an input always has a value. */
interface GivenOptions extends CommonOptions {
  readonly default: string;
}
interface RequiredOptions extends CommonOptions {
  readonly required: true;
}
type Options = CommonOptions | GivenOptions | RequiredOptions;
type ValueFor<O, Value> = O extends GivenOptions | RequiredOptions ? Value : Value | undefined;

function declare<Value>(
  type: InputType,
  options: Options,
  parse: (text: string) => Value,
  more: { readonly absent?: Value; readonly choices?: readonly string[] } = {},
): InputDeclaration<Value> {
  return {
    type,
    description: options.description,
    default: 'default' in options ? options.default : undefined,
    isRequired: 'required' in options,
    isSecret: type === 'secret',
    deprecation: options.deprecation,
    choices: more.choices,
    parse,
    absent: more.absent,
  };
}

/** Text as it stands, without blanks around it. */
export function text<const O extends Options>(options: O): InputDeclaration<ValueFor<O, string>> {
  return declare<ValueFor<O, string>>('text', options, (given) => given as ValueFor<O, string>);
}

/** Text that is masked in the log before anything else happens with it, and that no error message shows. */
export function secret<const O extends Options>(options: O): InputDeclaration<ValueFor<O, string>> {
  return declare<ValueFor<O, string>>('secret', options, (given) => given as ValueFor<O, string>);
}

/** `true` or `false` in any spelling of YAML 1.2's core schema. */
export function boolean(options: CommonOptions & { readonly default: boolean }): InputDeclaration<boolean> {
  return declare('boolean', { ...options, default: String(options.default) }, parseBoolean);
}

/** One of a few words. */
export function choice<const Choice extends string, const O extends Options>(
  choices: readonly Choice[],
  options: O,
): InputDeclaration<ValueFor<O, Choice>> {
  return declare<ValueFor<O, Choice>>(
    'choice',
    options,
    (given) => parseChoice(given, choices) as ValueFor<O, Choice>,
    { choices },
  );
}

/** A whole number between two bounds, both included. */
export function integer<const O extends Options & { readonly min?: number; readonly max?: number }>(
  options: O,
): InputDeclaration<ValueFor<O, number>> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return declare<ValueFor<O, number>>(
    'integer',
    options,
    (given) => parseInteger(given, min, max) as ValueFor<O, number>,
  );
}

/** Lines as they stand, for inputs with a grammar of their own. */
export function lines(options: CommonOptions & { readonly default?: string }): InputDeclaration<readonly string[]> {
  return declare<readonly string[]>('lines', options, parseLines, { absent: [] });
}

/** Entries on lines of their own or between commas; blank ones and `#` comments are left out. */
export function list(options: CommonOptions & { readonly default?: string }): InputDeclaration<readonly string[]> {
  return declare<readonly string[]>('list', options, parseList, { absent: [] });
}

/** `key=value` lines, split at the first `=`; blank lines and `#` comments are left out. */
export function map(
  options: CommonOptions & { readonly default?: string },
): InputDeclaration<ReadonlyMap<string, string>> {
  return declare<ReadonlyMap<string, string>>('map', options, parseMap, { absent: new Map() });
}

/** Globs, one a line; the last that matches decides, and `!` in front excludes. */
export function globs(options: CommonOptions & { readonly default?: string }): InputDeclaration<GlobList> {
  return declare<GlobList>('globs', options, parseGlobs, { absent: parseGlobs('') });
}

/** A time such as `90s`, `20m` or `1h30m`, in milliseconds. */
export function duration<const O extends Options>(options: O): InputDeclaration<ValueFor<O, number>> {
  return declare<ValueFor<O, number>>('duration', options, (given) => parseDuration(given) as ValueFor<O, number>);
}

/** A size such as `500MB` or `1.5GiB`, in bytes. */
export function bytes<const O extends Options>(options: O): InputDeclaration<ValueFor<O, number>> {
  return declare<ValueFor<O, number>>('size', options, (given) => parseBytes(given) as ValueFor<O, number>);
}

/** A text with a grammar that its own subject reads. The parser throws ConfigurationError, without the input's name. */
export function parsed<Value, const O extends Options>(
  parse: (text: string) => Value,
  options: O,
): InputDeclaration<ValueFor<O, Value>> {
  return declare<ValueFor<O, Value>>('JSON', options, (given) => parse(given) as ValueFor<O, Value>);
}
