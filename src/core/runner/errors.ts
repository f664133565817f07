/** Where in a file of the user's a problem stands; becomes the place of the annotation. */
export interface ErrorPlace {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * Something the person who reads the log can mend: an input, a file of theirs, a permission.
 *
 * Its message names what was wrong and the fix, and is shown without a stack. Any other error that reaches
 * `runAction` is taken for a defect of this action or a fault of the world, and is shown with its causes.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly title: string | undefined;
  readonly place: ErrorPlace;

  constructor(message: string, options: { readonly cause?: unknown; readonly title?: string } & ErrorPlace = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const { title, file, line, column } = options;
    this.title = title;
    this.place = {
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    };
  }
}

/** The messages of an error and of its causes, outermost first, each once and at most eight deep. */
export function messagesOf(error: unknown): string[] {
  const messages: string[] = [];
  let current = error;
  for (let depth = 0; depth < 8 && current !== undefined && current !== null; depth += 1) {
    const message = current instanceof Error ? current.message || current.name : String(current);
    if (!messages.includes(message)) messages.push(message);
    current = current instanceof Error ? current.cause : undefined;
  }
  return messages;
}
