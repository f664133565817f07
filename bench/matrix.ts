import type { Figure } from './figure.ts';
import { bareNode, planRepository } from './plan-repository.ts';

const RUNS = 5;

/**
 * The whole action on a push: the bundle in a process of its own, with the git processes that it starts.
 *
 * CPU time, because wall time on a shared machine says more of its neighbours; the two are near each other on one that
 * is idle, since a plan runs on one thread and waits for git.
 */
export function measureMatrix(): Promise<readonly Figure[]> {
  const bare = bareNode(RUNS);
  const small = planRepository({ images: 20, filesPerImage: 50, changes: 20 }, RUNS);
  const large = planRepository({ images: 2000, filesPerImage: 50, changes: 200 }, RUNS);
  const name = '2,000 images, 100,000 files';
  return Promise.resolve([
    { name: `${name}: CPU time`, value: large.cpuSeconds, unit: 's', against: { name: 'limit', value: 2 } },
    { name: `${name}: memory`, value: large.megabytes, unit: 'MB', against: { name: 'limit', value: 512 } },
    {
      name: '20 images, 1,000 files, over node -e 0: CPU time',
      value: small.cpuSeconds - bare.cpuSeconds,
      unit: 's',
      against: { name: 'limit', value: 0.25 },
    },
  ]);
}
