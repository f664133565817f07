import { parse } from 'yaml';

/** A workflow that holds what a snippet shows. */
export interface WorkflowText {
  readonly text: string;
  /** Lines that stand before the snippet's first. */
  readonly linesBefore: number;
}

/**
 * The workflow of a YAML snippet: the snippet itself, or one around its jobs, its job's body or its steps. Undefined for other YAML, such as
 * images.yml. Throws YAMLParseError.
 */
export function workflowOf(snippet: string): WorkflowText | undefined {
  const value: unknown = parse(snippet);
  if (isSteps(value))
    return wrap(['on: push', 'jobs:', '  job:', '    runs-on: ubuntu-24.04', '    steps:'], snippet, 6);
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, 'steps'))
    return wrap(['on: push', 'jobs:', '  job:', '    runs-on: ubuntu-24.04'], snippet, 4);
  if (!Object.hasOwn(value, 'jobs')) return undefined;
  return Object.hasOwn(value, 'on') ? { text: snippet, linesBefore: 0 } : wrap(['on: push'], snippet, 0);
}

function isSteps(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((step: unknown) => typeof step === 'object' && step !== null && ('uses' in step || 'run' in step))
  );
}

function wrap(before: readonly string[], snippet: string, indent: number): WorkflowText {
  const inner = snippet.split('\n').map((line) => (line === '' ? line : `${' '.repeat(indent)}${line}`));
  return { text: [...before, ...inner].join('\n'), linesBefore: before.length };
}
