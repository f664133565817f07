import { expandWord, type Lookup, UNKNOWN } from './expansion.ts';
import type { Instruction } from './instructions.ts';
import { type Assignment, type Dockerfile, readArguments, readEnvironment } from './stages.ts';

type Value = string | undefined | typeof UNKNOWN;

/** The variables of a stage at one point of it. Children start from a copy of their parent's. */
export interface StageVariables {
  readonly environment: ReadonlyMap<string, Value>;
  readonly args: ReadonlyMap<string, Value>;
  /** False on an image from outside: its environment is not known, so no name that is not set here is known. */
  readonly isBaseKnown: boolean;
}

/** What the build is called with. */
export interface ArgumentSource {
  readonly args: ReadonlyMap<string, string>;
  /** `os/architecture[/variant]` of the image that is built. */
  readonly platform: string;
}

/** The variables of a stage that starts from an image, or from nothing (`scratch`). */
export function freshVariables(isBaseKnown: boolean): StageVariables {
  return { environment: new Map([['PATH', UNKNOWN]]), args: new Map(), isBaseKnown };
}

/**
 * The values of ARG before the first FROM, with the build's arguments and the predefined TARGET… ones; BUILD… ones
 * are the builder's and so unknown. Docker reference, "Understand how ARG and FROM interact" and "Global scope".
 */
export function readGlobals(dockerfile: Dockerfile, source: ArgumentSource): ReadonlyMap<string, Value> {
  const globals = new Map<string, Value>(predefined(source.platform));
  for (const { name, value } of dockerfile.globals.flatMap(readArguments)) {
    const given = source.args.get(name);
    if (given !== undefined) globals.set(name, given);
    else if (value !== undefined)
      globals.set(
        name,
        expand(value, (key) => globals.get(key), dockerfile.escapeToken),
      );
    else if (!globals.has(name)) globals.set(name, undefined);
  }
  return globals;
}

function predefined(platform: string): readonly (readonly [string, Value])[] {
  const [os, architecture, variant = ''] = platform.split('/');
  const build = ['BUILDPLATFORM', 'BUILDOS', 'BUILDARCH', 'BUILDVARIANT', 'BUILDOSVERSION', 'TARGETOSVERSION'];
  return [
    ['TARGETPLATFORM', platform],
    ['TARGETOS', os],
    ['TARGETARCH', architecture],
    ['TARGETVARIANT', variant],
    ['TARGETSTAGE', UNKNOWN],
    ...build.map((name): readonly [string, Value] => [name, UNKNOWN]),
  ];
}

/** Applies one ARG or ENV; any other instruction leaves the variables as they are. */
export function applyInstruction(
  variables: StageVariables,
  instruction: Instruction,
  globals: ReadonlyMap<string, Value>,
  source: ArgumentSource,
  escapeToken: string,
): StageVariables {
  // Values of one instruction see what held before it, not each other: Docker reference, "Environment replacement".
  const lookup = lookupIn(variables);
  if (instruction.keyword === 'arg') {
    const args = new Map(variables.args);
    for (const declaration of readArguments(instruction)) {
      args.set(
        declaration.name,
        argumentValue(declaration, { globals, source, escapeToken, lookup: lookupIn({ ...variables, args }) }),
      );
    }
    return { ...variables, args };
  }
  if (instruction.keyword !== 'env') return variables;
  const environment = new Map(variables.environment);
  for (const { name, value = '' } of readEnvironment(instruction))
    environment.set(name, expand(value, lookup, escapeToken));
  return { ...variables, environment };
}

function argumentValue(
  { name, value }: Assignment,
  scope: { globals: ReadonlyMap<string, Value>; source: ArgumentSource; escapeToken: string; lookup: Lookup },
): Value {
  const given = scope.source.args.get(name);
  if (given !== undefined) return given;
  if (value !== undefined) return expand(value, scope.lookup, scope.escapeToken);
  // An argument that nothing here sets may still be given to the build by whoever calls it.
  return scope.globals.get(name) ?? UNKNOWN;
}

/** ENV wins over ARG (Docker reference, "Using ARG variables"). */
export function lookupIn({ environment, args, isBaseKnown }: StageVariables): Lookup {
  return (name) => {
    if (environment.has(name)) return environment.get(name);
    if (args.has(name)) return args.get(name);
    return isBaseKnown ? undefined : UNKNOWN;
  };
}

function expand(value: string, lookup: Lookup, escapeToken: string): Value {
  const expansion = expandWord(value, lookup, escapeToken);
  return 'value' in expansion ? expansion.value : UNKNOWN;
}
