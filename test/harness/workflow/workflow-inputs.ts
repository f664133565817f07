/** Values for the inputs of `workflow_dispatch` and `workflow_call`: types, defaults, choices. */
import { asMapping, asText } from '../runner/action-file.ts';
import { WorkflowError } from './workflow-error.ts';

export type InputValue = string | number | boolean;

/** @throws WorkflowError for an unknown or missing input and for a value that does not fit its type. */
export function settleWorkflowInputs(
  definitions: unknown,
  given: Readonly<Record<string, unknown>>,
  where: string,
): Record<string, InputValue> {
  const inputs = Object.entries(asMapping(definitions, `${where}: inputs`));
  const unknown = Object.keys(given).filter((name) => !inputs.some(([known]) => known === name));
  if (unknown.length > 0) throw new WorkflowError(`${where}: Invalid input, ${unknown.join(', ')} is not defined`);
  const values: Record<string, InputValue> = {};
  for (const [name, definition] of inputs) {
    const fields = asMapping(definition, `${where}: input ${name}`);
    const type = asText(fields['type']) ?? 'string';
    const value = given[name] ?? fields['default'];
    if (value === undefined || value === null || value === '') {
      if (fields['required'] === true && given[name] === undefined)
        throw new WorkflowError(`${where}: Input ${name} is required, but not provided`);
      values[name] = emptyValue(type, fields['options']);
    } else {
      values[name] = convert(name, value, type, fields['options'], where);
    }
  }
  return values;
}

function emptyValue(type: string, options: unknown): InputValue {
  if (type === 'boolean') return false;
  if (type === 'number') return 0;
  // The form of a manual run starts with the first choice.
  return type === 'choice' && Array.isArray(options) ? String(options[0] ?? '') : '';
}

function convert(name: string, value: unknown, type: string, options: unknown, where: string): InputValue {
  const wrong = (expected: string): WorkflowError =>
    new WorkflowError(`${where}: Input ${name}: ${expected} expected, got '${String(value)}'`);
  switch (type) {
    case 'boolean':
      if (String(value) !== 'true' && String(value) !== 'false') throw wrong('a boolean');
      return String(value) === 'true';
    case 'number':
      if (!Number.isFinite(Number(value))) throw wrong('a number');
      return Number(value);
    case 'choice': {
      const choices = Array.isArray(options) ? options.map(String) : [];
      if (!choices.includes(String(value))) throw wrong(`one of ${choices.join(', ')}`);
      return String(value);
    }
    case 'string':
    case 'environment':
      if (typeof value === 'object') throw wrong('a string');
      return String(value);
    default:
      throw new WorkflowError(`${where}: Input ${name}: Unexpected type '${type}'`);
  }
}
