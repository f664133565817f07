/** The `::name key=value::data` lines a step prints, read as the runner reads them (actions/runner, ActionCommand.cs). */

export interface WorkflowCommand {
  readonly name: string;
  /** Property names in lower case: the runner compares them without regard to case. */
  readonly properties: ReadonlyMap<string, string>;
  readonly data: string;
}

export const commandNames: ReadonlySet<string> = new Set([
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
]);

/** Undoes the escapes of command data. `%25` comes last, or an escaped percent sign would be read twice. */
export function unescapeData(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

export function unescapeProperty(text: string): string {
  return text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%');
}

/** Reads one line; `undefined` when it is ordinary text, as it is for every name the runner does not know. */
export function parseWorkflowCommand(line: string, known: ReadonlySet<string>): WorkflowCommand | undefined {
  const text = line.trimStart();
  if (!text.startsWith('::')) return undefined;
  const end = text.indexOf('::', 2);
  if (end < 0) return undefined;
  const info = text.slice(2, end);
  const space = info.indexOf(' ');
  const name = (space < 0 ? info : info.slice(0, space)).toLowerCase();
  if (!known.has(name)) return undefined;
  const properties = new Map<string, string>();
  const list =
    space < 0
      ? []
      : info
          .slice(space + 1)
          .trim()
          .split(',');
  for (const property of list) {
    const equals = property.indexOf('=');
    if (equals <= 0 || equals === property.length - 1) continue;
    properties.set(property.slice(0, equals).toLowerCase(), unescapeProperty(property.slice(equals + 1)));
  }
  return { name, properties, data: unescapeData(text.slice(end + 2)) };
}
