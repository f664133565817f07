import { type CommandProperties, formatCommand } from './commands.ts';

/** A remark with a place in a file of the user's; lines and columns count from 1. */
export interface Finding {
  readonly message: string;
  readonly title?: string;
  readonly file?: string;
  readonly line?: number;
  readonly endLine?: number;
  readonly column?: number;
}

/** What an action says to the person who reads the step's log. */
export interface Log {
  info(message: string): void;
  /** Shown only when the run has debug logging on (`RUNNER_DEBUG`). */
  debug(message: string): void;
  notice(finding: string | Finding): void;
  warning(finding: string | Finding): void;
  error(finding: string | Finding): void;
  /** A foldable section; it is closed also when the body throws. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
  /** Has the runner replace the value by `***` in everything that is printed from here on. */
  mask(secret: string): void;
}

/** GitHub shows at most ten annotations of a level in a step and drops the rest without a word. */
const ANNOTATIONS_PER_LEVEL = 10;

/** A log that writes GitHub's workflow commands line by line to `write`. */
export function createLog(write: (line: string) => void, options: { readonly debug: boolean }): Log {
  const counts = new Map<string, number>();

  const annotate = (level: 'notice' | 'warning' | 'error', finding: string | Finding): void => {
    const { message, ...place } = typeof finding === 'string' ? { message: finding } : finding;
    const count = (counts.get(level) ?? 0) + 1;
    counts.set(level, count);
    // Beyond the limit the text still stands in the log, with its place in front, as a plain line.
    if (count > ANNOTATIONS_PER_LEVEL) {
      const where =
        place.file === undefined ? '' : `${place.file}${place.line === undefined ? '' : `:${place.line}`}: `;
      write(plain(`${level}: ${where}${message}`));
    } else {
      write(formatCommand(level, toProperties(place), message));
    }
  };

  return {
    info: (message) => write(plain(message)),
    debug: (message) => {
      if (options.debug) write(formatCommand('debug', {}, message));
    },
    notice: (finding) => annotate('notice', finding),
    warning: (finding) => annotate('warning', finding),
    error: (finding) => annotate('error', finding),
    async group(title, body) {
      write(formatCommand('group', {}, title));
      try {
        return await body();
      } finally {
        write(formatCommand('endgroup', {}, ''));
      }
    },
    mask(secret) {
      // The runner masks single lines: a secret of several lines is told whole and line by line.
      const lines = secret.split(/\r?\n/).filter((line) => line.trim() !== '');
      for (const value of new Set(lines.length > 1 ? [secret, ...lines] : lines)) {
        write(formatCommand('add-mask', {}, value));
      }
    },
  };
}

/**
 * A line that the runner cannot take for a command: text from a repository, a registry or a build that starts with
 * `::` or `##[` gets a zero-width space in front.
 */
function plain(message: string): string {
  return message.replace(/^([ \t]*)(?=::|##\[)/gm, '$1\u200b');
}

function toProperties(place: Omit<Finding, 'message'>): CommandProperties {
  return { title: place.title, file: place.file, line: place.line, endLine: place.endLine, col: place.column };
}
