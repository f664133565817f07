import type { Unpacked } from './archive/unpacked-contents.ts';
import type { ByteSource } from './byte-source.ts';
import type { FormatReport } from './model-finding.ts';

/** Bytes that are unpacked out of one file, all its archives together; a bomb is one that needs more. */
const MAX_UNPACKED = 16 * 1024 * 1024 * 1024;
/** Instructions of all pickles of one file together, those that are followed more than once counted each time: some 10 s. */
const MAX_INSTRUCTIONS = 50_000_000;
/** Contents inside of contents: an archive in an archive in a compressed file. */
export const MAX_DEPTH = 4;

/** What the readers of one file share. */
export interface ReadContext {
  /** Imports (`module.name`, `module.*`) that pickles of this model may make besides the harmless ones. */
  readonly allowed: ReadonlySet<string>;
  /** How many contents deep the reader stands; 0 for the file itself. */
  readonly depth: number;
  readonly budget: ReadBudget;
  /** Large contents of the file itself, by the place of their compressed bytes. */
  readonly unpacked: ReadonlyMap<number, Unpacked>;
  /** Reads a content inside of another one by what its bytes are. */
  readonly readNested: (source: ByteSource, name: string) => FormatReport;
}

/** Counts what one file costs: the bytes that it unpacks to, and the instructions of its pickles. */
export class ReadBudget {
  #left = MAX_UNPACKED;
  #instructions = MAX_INSTRUCTIONS;

  get instructionsLeft(): number {
    return this.#instructions;
  }

  takeInstructions(count: number): void {
    this.#instructions -= count;
  }

  /** False where the file has unpacked to more than is read. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }
}
