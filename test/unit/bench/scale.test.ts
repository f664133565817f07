import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCacheBudget } from '../../../bench/cache-budget.ts';
import { BUILD, STEPS } from '../../../bench/scale-assumptions.ts';
import { costOfDay, type PushCost, type Setting } from '../../../bench/scale-cost.ts';
import { type DayShape, drawDay, type Push } from '../../../bench/scale-day.ts';
import { type PushPlan, planPushes } from '../../../bench/scale-plans.ts';
import { busiestHour, callsNeeded } from '../../../bench/scale-report.ts';
import { makeMonorepo } from '../../../bench/scale-repository.ts';

const SHAPE: DayShape = { docs: 12, service: 24, packages: 6, library: 4, base: 1, tag: 3 };

describe('a day of pushes', () => {
  const places = { services: 990, bases: 10, libraries: 20 };
  const day = drawDay(SHAPE, places, 1);

  test('has as many of each kind as it is to have, in the order of their time', () => {
    const counts = Object.fromEntries(
      Object.keys(SHAPE).map((kind) => [kind, day.filter((push) => push.kind === kind).length]),
    );
    expect(counts).toEqual(SHAPE);
    expect(day.map(({ minute }) => minute)).toEqual(day.map(({ minute }) => minute).toSorted((a, b) => a - b));
  });

  test('is the same for the same seed, and another for another', () => {
    expect(drawDay(SHAPE, places, 1)).toEqual(day);
    expect(drawDay(SHAPE, places, 2)).not.toEqual(day);
  });
});

describe('a cache with a limit', () => {
  test('lets go first of what was used longest ago', () => {
    const cache = createCacheBudget(10);
    cache.write('old', 4);
    cache.write('older', 4);
    expect(cache.read('old')).toBe(true);
    cache.write('new', 5);
    expect(['old', 'older', 'new'].map((key) => cache.read(key))).toEqual([true, false, true]);
    expect([cache.bytesHeld(), cache.bytesWritten()]).toEqual([9, 13]);
  });

  test('keeps what it holds when that is written again, and keeps nothing larger than itself', () => {
    const cache = createCacheBudget(10);
    cache.write('kept', 4);
    cache.write('kept', 4);
    expect(cache.bytesWritten()).toBe(4);
    cache.write('huge', 11);
    expect([cache.read('huge'), cache.bytesHeld()]).toEqual([false, 0]);
  });
});

describe('the cost of a day', () => {
  // Two bases (even and odd services), two libraries (likewise), six services: 8 images × 3 variants × 2 platforms.
  const SIZE = { images: 8, bases: 2, libraries: 2, filesPerService: 3 };
  const pushes: readonly Push[] = [
    { kind: 'docs', path: 'README.md', minute: 0 },
    { kind: 'service', path: 'services/s2/src/file0.py', minute: 10 },
    { kind: 'packages', path: 'services/s2/requirements.txt', minute: 20 },
    { kind: 'library', path: 'libs/l1/lib.py', minute: 30 },
    { kind: 'base', path: 'bases/b0/Dockerfile', minute: 70 },
    { kind: 'tag', path: undefined, minute: 80 },
  ];
  const both: Setting = { name: 'both', detectsChanges: true, promotes: true, caches: 'registry' };
  let folder: string;
  let plans: readonly PushPlan[];
  const of = (setting: Setting, field: keyof PushCost): number[] =>
    costOfDay(plans, setting).map((cost) => cost[field]);

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'scale-'));
    plans = await planPushes(folder, pushes, makeMonorepo(folder, SIZE, pushes));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('builds a service with the base it stands on, a library’s three services, and all that stands on a base', () => {
    expect(of(both, 'rows')).toEqual([0, 2 * 6, 2 * 6, (3 + 1) * 6, (3 + 1) * 6, 0]);
    expect(of(both, 'waves')).toEqual([0, 2, 2, 2, 2, 0]);
    expect(of(both, 'matrices')).toEqual([0, 2, 2, 2, 2, 0]);
  });

  test('builds everything on every push without change detection, and on a tag without promotion', () => {
    expect(of({ ...both, detectsChanges: false, promotes: false }, 'rows')).toEqual(pushes.map(() => 48));
    expect(of({ ...both, promotes: false }, 'rows').at(-1)).toBe(48);
  });

  test('finds its cache but for packages that changed, and for all that stands on a base that did', () => {
    expect(of(both, 'warmRows')).toEqual([0, 12, 6, 24, 0, 0]);
  });

  test('bills whole minutes: the plan, each build with its start, the naming, and the job that tells the end', () => {
    const { coldSeconds, warmShare, startSeconds } = BUILD;
    const minutes = (share: number): number =>
      Object.values(coldSeconds).reduce(
        (sum, seconds) => sum + 2 * Math.ceil((startSeconds + seconds * share) / 60),
        0,
      );
    const [docs, service, packages] = of(both, 'jobMinutes');
    expect(docs).toBe(1 + 1);
    expect(service).toBe(1 + 2 * minutes(warmShare) + 1 + 1);
    // The base is warm, its service is not.
    expect(packages).toBe(1 + minutes(warmShare) + minutes(1) + 1 + 1);
  });

  test('writes to GitHub’s cache what it does not hold, and nothing where caches lie in the registry', () => {
    const { baseBytes, packageBytes, sourceBytes } = BUILD;
    const ofService = 6 * (packageBytes + sourceBytes);
    const ofBase = 2 * (baseBytes.slim + baseBytes.cpu + baseBytes.gpu);
    // 10 GB do not hold both base images: the day before ended with the one that this service does not stand on.
    expect(of({ ...both, caches: 'gha' }, 'cacheBytes').slice(0, 3)).toEqual([0, ofBase + ofService, ofService]);
    expect(of(both, 'cacheBytes')).toEqual(pushes.map(() => 0));
  });

  test('keeps by default what fits its share of GitHub’s cache there, and what does not in the registry', () => {
    // 48 rows: each has 208 MB, by which the slim variant's two rows stay, however few the push builds.
    expect(of({ ...both, caches: 'by share' }, 'cacheBytes')[1]).toBe(2 * BUILD.sourceBytes);
  });

  test('asks GitHub once for each pair of commits between which a name would move', () => {
    // A base's push moves its own name and that of s2, both last named by the push before, and two of the day before.
    // The tag names two commits, compared with the version of the day before, and asks for the version's default branch.
    expect(of(both, 'apiRequests')).toEqual([0, 1, 1, 1, 2, 2 + 1]);
  });

  test('asks the registry for each row that may be missing, and writes names and records of what was built', () => {
    const { registryRequestsATag: aTag, registryRequestsARecord: aRecord, tagsOfBranch, tagsOfVersion } = STEPS;
    const requests = of(both, 'registryRequests');
    expect(requests[0]).toBe(48);
    expect(requests[1]).toBe(Math.round(48 + 6 * tagsOfBranch * aTag + 12 * aRecord));
    expect(requests.at(-1)).toBe(Math.round(48 + 24 * tagsOfVersion * aTag));
    expect(of({ ...both, detectsChanges: false }, 'registryRequests')[0]).toBe(
      Math.round(24 * tagsOfBranch * aTag + 48 * aRecord),
    );
  });

  test('tells the calls that the largest push needs, and the requests of the busiest hour', () => {
    const cost = costOfDay(plans, both)[0];
    if (cost === undefined) throw new Error('the day has no push');
    expect([400, 401, 6000].map((named) => callsNeeded([cost, { ...cost, named }]))).toEqual([1, 2, 15]);
    const requests = [59, 60, 61].map((minute) => ({ ...cost, minute, apiRequests: 4 }));
    expect(busiestHour(requests)).toBe(8);
  });
});
