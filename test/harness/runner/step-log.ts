/** Turns the lines a step prints into a log, annotations, masks and state, carrying out the workflow commands among them. */
import type { SecretMasker } from './masks.ts';
import { commandNames, parseWorkflowCommand, type WorkflowCommand } from './workflow-commands.ts';

export type AnnotationLevel = 'error' | 'warning' | 'notice';

export interface Annotation {
  readonly level: AnnotationLevel;
  readonly message: string;
  readonly title?: string;
  readonly file?: string;
  readonly line?: number;
  readonly endLine?: number;
  readonly column?: number;
  readonly endColumn?: number;
}

export interface StepLog {
  /** One line from the process. */
  write(line: string): void;
  /** A line of the runner's own. */
  print(line: string): void;
  annotate(level: AnnotationLevel, message: string): void;
  /** An error of the runner's own that turns the step red whatever its exit code. */
  fail(message: string): void;
  readonly annotations: readonly Annotation[];
  readonly state: ReadonlyMap<string, string>;
  readonly groups: readonly string[];
  readonly debugMessages: readonly string[];
  readonly failed: boolean;
  log(): string;
  rawLog(): string;
}

export interface StepLogOptions {
  readonly masks: SecretMasker;
  readonly debug: boolean;
  readonly onLine?: (line: string) => void;
}

const refused = new Map([
  ['set-env', 'The `set-env` command is disabled. Please upgrade to using Environment Files.'],
  ['add-path', 'The `add-path` command is disabled. Please upgrade to using Environment Files.'],
  // Still honoured by the runner with a warning; refused here because nothing written today may use it.
  ['set-output', 'The `set-output` command is deprecated. Please upgrade to using Environment Files.'],
]);

export function createStepLog({ masks, debug, onLine }: StepLogOptions): StepLog {
  const shown: string[] = [];
  const raw: string[] = [];
  const annotations: Annotation[] = [];
  const state = new Map<string, string>();
  const groups: string[] = [];
  const debugMessages: string[] = [];
  let failed = false;
  let echo = debug;
  let resumeToken: string | undefined;

  const print = (text: string): void => {
    for (const line of masks.mask(text).split('\n')) {
      shown.push(line);
      onLine?.(line);
    }
  };
  const annotate = (level: AnnotationLevel, message: string, place: Partial<Annotation> = {}): void => {
    annotations.push({ ...place, level, message: masks.mask(message) });
    print(`##[${level}]${message}`);
  };
  const fail = (message: string): void => {
    annotate('error', message);
    failed = true;
  };

  const stop = (command: WorkflowCommand): void => {
    if (command.data === '' || command.data === 'pause-logging' || commandNames.has(command.data.toLowerCase())) {
      fail(`Invoked ::stop-commands:: with token: [${command.data}], which is not allowed.`);
    } else {
      resumeToken = command.data.toLowerCase();
    }
  };
  const handlers: Record<string, (command: WorkflowCommand, line: string) => void> = {
    error: (command) => annotate('error', command.data, annotationPlace(command, masks)),
    warning: (command) => annotate('warning', command.data, annotationPlace(command, masks)),
    notice: (command) => annotate('notice', command.data, annotationPlace(command, masks)),
    debug: ({ data }) => {
      debugMessages.push(masks.mask(data));
      if (debug) print(`##[debug]${data}`);
    },
    group: ({ data }) => {
      groups.push(masks.mask(data));
      print(`##[group]${data}`);
    },
    endgroup: () => print('##[endgroup]'),
    'add-mask': ({ data }) => {
      if (!masks.add(data)) annotate('warning', "Can't add secret mask for empty string in ##[add-mask] command.");
      else if (echo) print('::add-mask::***');
    },
    'save-state': (command) => {
      const name = command.properties.get('name');
      if (name === undefined) fail("Required field 'name' is missing in ##[save-state] command.");
      else state.set(name, command.data);
    },
    echo: ({ data }) => {
      const choice = data.trim().toUpperCase();
      if (choice !== 'ON' && choice !== 'OFF')
        fail(`Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '${data}'.`);
      else echo = choice === 'ON';
    },
    'stop-commands': (command, line) => {
      print(line);
      stop(command);
    },
  };

  const carryOut = (command: WorkflowCommand, line: string): void => {
    const refusal = refused.get(command.name);
    if (refusal === undefined) {
      handlers[command.name]?.(command, line);
    } else {
      fail(`Unable to process command '${line}' successfully.`);
      fail(refusal);
    }
  };
  const write = (line: string): void => {
    raw.push(line);
    const known = resumeToken === undefined ? commandNames : new Set([resumeToken]);
    const command = parseWorkflowCommand(line, known);
    if (command !== undefined && resumeToken === undefined) {
      carryOut(command, line);
    } else {
      if (command !== undefined) resumeToken = undefined;
      print(line);
    }
  };

  return {
    write,
    print,
    annotate,
    fail,
    annotations,
    state,
    groups,
    debugMessages,
    get failed() {
      return failed;
    },
    log: () => shown.join('\n'),
    rawLog: () => raw.join('\n'),
  };
}

function annotationPlace({ properties }: WorkflowCommand, masks: SecretMasker): Partial<Annotation> {
  const text = (name: string) => {
    const value = properties.get(name);
    return value === undefined ? undefined : masks.mask(value);
  };
  const number = (name: string) => {
    const value = properties.get(name);
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
  };
  const [title, file] = [text('title'), text('file')];
  const [line, endLine, column, endColumn] = [number('line'), number('endline'), number('col'), number('endcolumn')];
  return {
    ...(title === undefined ? {} : { title }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(endLine === undefined ? {} : { endLine }),
    ...(column === undefined ? {} : { column }),
    ...(endColumn === undefined ? {} : { endColumn }),
  };
}
