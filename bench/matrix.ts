import type { Figure } from './figure.ts';
import { bareNode, planRepository } from './plan-repository.ts';

const RUNS = 5;

/** The whole action, as a bundle in a process of its own with the git processes it starts, on a push. */
export function measureMatrix(): Promise<readonly Figure[]> {
  const bare = bareNode(RUNS);
  const small = planRepository({ images: 20, filesPerImage: 50, changes: 20 }, RUNS);
  const large = planRepository({ images: 2000, filesPerImage: 50, changes: 200 }, RUNS);
  const name = '2,000 images, 100,000 files';
  return Promise.resolve([
    { name: `${name}: time`, value: large.wallSeconds, unit: 's', against: { name: 'limit', value: 2 } },
    { name: `${name}: memory`, value: large.megabytes, unit: 'MB', against: { name: 'limit', value: 512 } },
    {
      name: '20 images, over node -e 0: time',
      value: small.wallSeconds - bare.wallSeconds,
      unit: 's',
      against: { name: 'limit', value: 0.25 },
    },
  ]);
}
