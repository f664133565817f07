/** How many pushes of each kind a day has. */
export interface DayShape {
  readonly docs: number;
  /** Of one service's sources. */
  readonly service: number;
  /** Of one service's list of packages. */
  readonly packages: number;
  /** Of a library that many services copy. */
  readonly library: number;
  /** Of a base image's Dockerfile. */
  readonly base: number;
  /** Of a tag, which releases the commit that is there. */
  readonly tag: number;
}

export interface Push {
  readonly kind: keyof DayShape;
  /** The changed file; undefined for a tag. */
  readonly path: string | undefined;
  /** Of the working day, from 0. */
  readonly minute: number;
}

export interface DayPlaces {
  readonly services: number;
  readonly bases: number;
  readonly libraries: number;
}

const WORKING_MINUTES = 10 * 60;

/**
 * The pushes of one day in the order of their time, the same for the same seed. Four in five changes of services meet one
 * fifth of them: work is never spread evenly.
 */
export function drawDay(shape: DayShape, { services, bases, libraries }: DayPlaces, seed: number): readonly Push[] {
  const random = seededRandom(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const service = (): number => (random() < 0.8 ? below(Math.ceil(services / 5)) : below(services));
  const pathOf: Readonly<Record<keyof DayShape, () => string | undefined>> = {
    docs: () => 'README.md',
    service: () => `services/s${service()}/src/file0.py`,
    packages: () => `services/s${service()}/requirements.txt`,
    library: () => `libs/l${below(libraries)}/lib.py`,
    base: () => `bases/b${below(bases)}/Dockerfile`,
    tag: () => undefined,
  };
  const kinds = (['docs', 'service', 'packages', 'library', 'base', 'tag'] as const).flatMap((kind) =>
    Array.from({ length: shape[kind] }, () => kind),
  );
  return kinds
    .map((kind) => ({ kind, path: pathOf[kind](), minute: below(WORKING_MINUTES) }))
    .sort((a, b) => a.minute - b.minute);
}

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
