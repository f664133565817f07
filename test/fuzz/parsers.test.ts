import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fuzz } from './fuzz-run.ts';
import { modelTargets } from './model-targets.ts';
import { signatureTargets } from './signature-targets.ts';

/** Seconds for each parser: `FUZZ_SECONDS=600` for a long run, `FUZZ_SEED` to repeat one, `FUZZ_KEEP=1` to keep its finds. */
const TIME = Number(process.env['FUZZ_SECONDS'] ?? '0.4') * 1000;
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
/** No input of a few kilobytes may cost more than this, on a busy machine either. */
const SLOWEST = 2_000;
/** Far more than the 32 kB of an input may need, and far less than a count that was believed would take. */
const MEMORY = 192e6;
/** Longer finds are not kept: what they reach, a shorter one does. */
const LONGEST_KEPT = 2_000;

/** Every parser that reads what somebody else wrote. */
const targets = new Map(Object.entries({ ...modelTargets, ...signatureTargets }));
const corpus = join(import.meta.dirname, 'corpus');
const regressions = join(import.meta.dirname, 'regressions');

describe(`no bytes crash, hang or fill the memory (seed ${SEED})`, () => {
  test.each([...targets])('%s', { timeout: TIME + 60_000 }, async (name, target) => {
    const file = join(corpus, `${name}.txt`);
    const kept = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(fromBase64) : [];
    const limits = { time: TIME, slowest: SLOWEST, memory: MEMORY };
    const { rounds, found, slowest } = await fuzz({ ...target, seeds: [...target.seeds, ...kept] }, SEED, limits);
    expect(rounds).toBeGreaterThan(0);
    expect(process.memoryUsage().heapUsed).toBeLessThan(1e9);
    if (TIME >= 10_000)
      console.log(`${name}: ${rounds} rounds, ${found.length} new, slowest ${Math.round(slowest)} ms`);
    if (process.env['FUZZ_KEEP'] !== '1') return;
    for (const each of found) if (each.length <= LONGEST_KEPT) appendFileSync(file, `${each.toString('base64')}\n`);
  });

  // Each file here once did what no bytes may do; it is named after the parser and the fault.
  test.each(readdirSync(regressions))('mended: %s', async (name) => {
    const target = targets.get(name.split('.')[0] ?? '');
    if (target === undefined) throw new Error(`${name} is named after no parser`);
    await target.parse(fromBase64(readFileSync(join(regressions, name), 'utf8')));
  });
});

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
