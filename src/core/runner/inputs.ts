import type { Environment } from './commands.ts';
import type { Contract, InputDeclaration, InputsOf } from './contract.ts';
import { ConfigurationError } from './errors.ts';
import { nearest } from './input-grammar.ts';
import type { Log } from './log.ts';

/**
 * Reads every input of a contract from the runner's `INPUT_*` variables.
 *
 * Secrets are masked before anything else is read. All inputs are checked before the first error is thrown, so that
 * one message names all that is wrong. Inputs that the contract does not know are warned of with the nearest name:
 * the runner does not stop at them, and a misspelt `pusch: false` must not go unseen.
 * Throws ConfigurationError.
 */
export function readInputs<C extends Contract>(contract: C, environment: Environment, log: Log): InputsOf<C> {
  const declarations = Object.entries(contract.inputs);
  for (const [name, declaration] of declarations) {
    const text = textOf(environment, name);
    if (declaration.isSecret && text !== '') log.mask(text);
  }
  warnOfUnknown(contract, environment, log);

  const problems: ConfigurationError[] = [];
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, declaration] of declarations) {
    try {
      values[camelCase(name)] = readInput(name, declaration, textOf(environment, name), log);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(error);
    }
  }
  const [first] = problems;
  if (first !== undefined && problems.length === 1) throw first;
  if (first !== undefined)
    throw new ConfigurationError(problems.map(({ message }) => message).join('; '), { cause: first.cause });
  return Object.freeze(values) as InputsOf<C>;
}

function readInput(name: string, declaration: InputDeclaration<unknown>, text: string, log: Log): unknown {
  if (text !== '' && declaration.deprecation !== undefined && text !== declaration.default) {
    log.warning(`input "${name}" is deprecated: ${declaration.deprecation}`);
  }
  const fallback = isExpression(declaration.default) ? '' : (declaration.default ?? '');
  const given = text === '' ? fallback : text;
  if (given === '') {
    if (declaration.isRequired) throw new ConfigurationError(`input "${name}" is required: ${declaration.description}`);
    return declaration.default !== undefined && declaration.absent === undefined ? '' : declaration.absent;
  }
  return inInput(name, () => declaration.parse(given));
}

/** Reads a value out of an input, and has every ConfigurationError name that input. */
export function inInput<Value>(name: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(`input "${name}": ${error.message}`, { cause: error.cause, ...error.place });
  }
}

/** The runner evaluates defaults such as `${{ github.token }}`; where none ran, they are no value. */
function isExpression(text: string | undefined): boolean {
  return text?.includes('${{') === true;
}

/** The runner upper-cases names, turns blanks into `_`, keeps dashes, and leaves the trimming to the action. */
function textOf(environment: Environment, name: string): string {
  return (environment[variableOf(name)] ?? '').trim();
}

function variableOf(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

function warnOfUnknown(contract: Contract, environment: Environment, log: Log): void {
  const names = Object.keys(contract.inputs);
  const known = new Set(names.map(variableOf));
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('INPUT_') || known.has(variable) || value === undefined || value === '') continue;
    const name = variable.slice('INPUT_'.length).toLowerCase();
    const near = nearest(name, names);
    log.warning(
      `input "${name}" is not known to ${contract.name} and does nothing${near === undefined ? '' : `; did you mean "${near}"?`}`,
    );
  }
}

/** `build-args` → `buildArgs`. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
