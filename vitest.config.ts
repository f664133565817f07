import { defineConfig } from 'vitest/config';

/** Whole deploys to an S3 server in memory, whose retries and leases take their time. */
const DEPLOYS = 'test/unit/core/site/{deploy-site,lease,releases}.test.ts';

export default defineConfig({
  test: {
    projects: [
      // `npm run test:unit`: what a change is tried with, in less than half a minute.
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: ['test/unit/harness/**', 'test/unit/actions/**', DEPLOYS],
          testTimeout: 10_000,
        },
      },
      // Actions through their inputs, with real git histories and local servers.
      { test: { name: 'actions', include: ['test/unit/actions/**/*.test.ts', DEPLOYS], testTimeout: 60_000 } },
      // The runner, the workflow runner, services and stand-ins, which change seldom and start many processes.
      { test: { name: 'harness', include: ['test/unit/harness/**/*.test.ts'], testTimeout: 20_000 } },
      // Long runs over generated inputs.
      { test: { name: 'fuzz', include: ['test/fuzz/**/*.test.ts'], testTimeout: 300_000 } },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/services.setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
