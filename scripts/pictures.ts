// `npm run pictures`: takes the pictures of job summaries that the documentation shows, from real runs in a real browser.
// The end-to-end test of the summaries does it; without this it fails where the pictures are stale.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ran = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'test.ts'), '--project', 'e2e', 'test/e2e/summaries.test.ts'],
  { stdio: 'inherit', env: { ...process.env, SLIPWAY_PICTURES: 'take' } },
);
process.exitCode = ran.status ?? 1;
