import type { ByteSource } from '../byte-source.ts';
import type { ReadContext } from '../read-context.ts';
import { STEP_OF } from './instructions.ts';
import { PickleMachine, type PickleReport } from './machine.ts';
import { PickleError } from './reader.ts';

/** Bounds on what a hostile pickle costs. The largest real ones seen have some 600,000 instructions. */
const MAX_INSTRUCTIONS = 20_000_000;
const STOP = 0x2e;

/**
 * Follows a pickle from `start` to STOP without executing anything, and reports what loading it would import and call.
 *
 * The machine is that of CPython's Lib/pickle.py with symbols for values: texts keep their place, because STACK_GLOBAL
 * takes its names from the stack by whatever way they came there; everything else keeps only what is needed to say
 * what is called. What the machine cannot know is a finding, and so is a pickle that breaks off: its first half has
 * already run when `pickle.load` raises. Never throws for what a file holds.
 */
export function interpretPickle(source: ByteSource, start: number, context: ReadContext): PickleReport {
  const machine = new PickleMachine(source, start, context, interpretPickle);
  const { reader } = machine;
  const limit = Math.min(MAX_INSTRUCTIONS, context.budget.instructionsLeft);
  let count = 0;
  try {
    for (count = 1; count <= limit; count += 1) {
      reader.next();
      STEP_OF[reader.code]?.(machine, reader.offset);
      if (reader.code === STOP) return machine.reportUntil(reader.end);
      if (context.budget.tick()) throw new PickleError(context.budget.whyLate, reader.offset);
    }
    throw new PickleError(`it has more than the ${limit} instructions that are followed`, reader.offset);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    const message = `the pickle cannot be followed to its end: ${error.message}`;
    machine.report('suspicious', 'pickle-broken', message, error.offset);
    return machine.reportUntil(undefined);
  } finally {
    context.budget.takeInstructions(count);
  }
}
