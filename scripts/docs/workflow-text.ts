import { parse } from 'yaml';
import { fieldOf, isRecord } from '../../src/core/runner/event.ts';

/** A workflow that holds what a snippet shows. */
export interface WorkflowText {
  readonly text: string;
  /** Lines that stand before the snippet's first. */
  readonly linesBefore: number;
}

/**
 * The workflow of a YAML snippet: the snippet itself, or one around its jobs, its job's body or its steps; with stubs of
 * earlier jobs that it speaks of and does not show. Undefined for other YAML, such as images.yml. Throws YAMLParseError.
 */
export function workflowOf(snippet: string): WorkflowText | undefined {
  const value: unknown = parse(snippet);
  const earlier = earlierJobs(snippet, fieldOf(value, 'jobs'));
  const needs = earlier.length === 0 ? [] : [`    needs: [${earlier.join(', ')}]`];
  const job = ['on: push', 'jobs:', '  job:', '    runs-on: ubuntu-24.04', ...needs];
  const after = earlier.flatMap((name) => stubOf(name, snippet));
  if (isSteps(value)) return wrap([...job, '    steps:'], snippet, 6, after);
  if (!isRecord(value)) return undefined;
  if (Object.hasOwn(value, 'steps')) return wrap(job, snippet, 4, after);
  if (!Object.hasOwn(value, 'jobs')) return undefined;
  return wrap(Object.hasOwn(value, 'on') ? [] : ['on: push'], snippet, 0, after);
}

function isSteps(value: unknown): boolean {
  return Array.isArray(value) && value.every((step: unknown) => isRecord(step) && ('uses' in step || 'run' in step));
}

/** Jobs that a snippet needs and does not hold. */
function earlierJobs(snippet: string, jobs: unknown): readonly string[] {
  const shown = isRecord(jobs) ? Object.entries(jobs) : [];
  const needed = shown.flatMap(([, job]) => [fieldOf(job, 'needs') ?? []].flat().map(String));
  const read = [...snippet.matchAll(/\bneeds\.([\w-]+)\./g)].map(([, name = '']) => name);
  return [...new Set([...needed, ...read])].filter((name) => !shown.some(([id]) => id === name));
}

function stubOf(name: string, snippet: string): readonly string[] {
  const outputs = new Set(
    [...snippet.matchAll(/\bneeds\.([\w-]+)\.outputs\.([\w-]+)/g)].flatMap(([, job, output]) =>
      job === name && output !== undefined ? [output] : [],
    ),
  );
  const given = [...outputs].map((output) => `${output}: "{}"`).join(', ');
  return [
    `  ${name}:`,
    '    runs-on: ubuntu-24.04',
    ...(given === '' ? [] : [`    outputs: { ${given} }`]),
    '    steps: [{ run: "true" }]',
  ];
}

function wrap(before: readonly string[], snippet: string, indent: number, after: readonly string[]): WorkflowText {
  const inner = snippet.split('\n').map((line) => (line === '' ? line : `${' '.repeat(indent)}${line}`));
  return { text: [...before, ...inner, ...after].join('\n'), linesBefore: before.length };
}
