import { ConfigurationError } from '../../src/core/runner/errors.ts';
import type { Parse } from './fuzz-run.ts';

/** A refusal that the user can mend is an answer; anything else is a crash. */
export const refusing =
  (parse: (bytes: Buffer) => unknown): Parse =>
  async (bytes) => {
    try {
      await parse(bytes);
      return ['read'];
    } catch (error) {
      if (error instanceof ConfigurationError) return [plain(error.message)];
      throw error;
    }
  };

/** The last words of a message: they are its own, where the first may be a name out of the file. */
export function plain(text: string): string {
  return text
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .split(/[\s,;:]+/)
    .filter((word) => /^[a-z']{2,}$/.test(word))
    .slice(-3)
    .join(' ');
}
