import { type Dockerfile, readArguments } from '../dockerfile/stages.ts';
import { isVariantWord } from './gpu.ts';

/** The argument by which one Dockerfile makes several variants, and what each is called with. */
export interface ArgumentVariants {
  readonly argument: string;
  /** Variant → the argument's value. */
  readonly values: ReadonlyMap<string, string>;
}

const REFERENCE = /\$(?:\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|([A-Za-z_]\w*))/g;

/**
 * Finds an ARG before the first FROM that selects a base by hardware: `FROM runtime-${DEVICE}` where the file has the
 * stages `runtime-cpu` and `runtime-gpu`, or `FROM image:1-${BUILD_TYPE}` with `ARG BUILD_TYPE=cpu`. In the second
 * form nothing lists the values: one that is `cpu` or `gpu` by default is taken for one of these two.
 */
export function findArgumentVariants({ globals, stages }: Dockerfile): ArgumentVariants | undefined {
  const defaults = new Map(
    globals.flatMap(readArguments).map(({ name, value }) => [name, value?.replace(/["']/g, '')]),
  );
  const names = new Set(stages.flatMap(({ name }) => name ?? []));
  for (const { base } of stages) {
    for (const { 0: reference, 1: braced, 2: fallback, 3: bare, index } of base.matchAll(REFERENCE)) {
      const argument = braced ?? bare ?? '';
      if (!defaults.has(argument)) continue;
      const [before, behind] = [base.slice(0, index), base.slice(index + reference.length)];
      const words = wordsOfStages(names, before.toLowerCase(), behind.toLowerCase());
      const usual = defaults.get(argument) ?? fallback ?? '';
      const values = words.length > 1 ? words : usual === 'cpu' || usual === 'gpu' ? ['cpu', 'gpu'] : [];
      if (values.length > 0) return { argument, values: new Map(values.map((value) => [value, value])) };
    }
  }
  return undefined;
}

/** What stands for the argument in the names of stages, where it names hardware. */
function wordsOfStages(names: ReadonlySet<string>, before: string, behind: string): readonly string[] {
  return [...names].flatMap((name) => {
    const fits = name.startsWith(before) && name.endsWith(behind) && name.length > before.length + behind.length;
    const word = fits ? name.slice(before.length, name.length - behind.length) : '';
    return isVariantWord(word) ? [word] : [];
  });
}
