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

/** Counts what one file costs: the bytes that it unpacks to, the instructions of its pickles, and the time. */
export class ReadBudget {
  /** Why a file is not read further when its time is up, for findings. */
  readonly whyLate: string;
  readonly #end: number;
  #left = MAX_UNPACKED;
  #instructions = MAX_INSTRUCTIONS;
  #ticks = 0;

  /** `time` is what reading the format of one file may take, in milliseconds. */
  constructor(time = 600_000) {
    this.#end = performance.now() + time;
    this.whyLate = `reading it takes longer than the ${time / 1000} s that "scan-timeout" allows`;
  }

  get isLate(): boolean {
    return performance.now() > this.#end;
  }

  /** `isLate`, which looks at the clock once in 65,536 calls: for loops whose turns cost next to nothing. */
  tick(): boolean {
    this.#ticks = (this.#ticks + 1) & 0xffff;
    return this.#ticks === 0 && this.isLate;
  }

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
