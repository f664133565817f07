import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      // `npm run test:unit`: what a change is tried with, in less than half a minute.
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: ['test/unit/harness/**', 'test/unit/actions/**', '**/fuzz.test.ts'],
          testTimeout: 10_000,
        },
      },
      // Actions through their inputs, with real git histories and local servers.
      { test: { name: 'actions', include: ['test/unit/actions/**/*.test.ts'], testTimeout: 60_000 } },
      // The runner, the workflow runner, services and stand-ins, which change seldom and start many processes.
      { test: { name: 'harness', include: ['test/unit/harness/**/*.test.ts'], testTimeout: 20_000 } },
      // Long runs over generated inputs.
      {
        test: { name: 'fuzz', include: ['test/fuzz/**/*.test.ts', 'test/unit/**/fuzz.test.ts'], testTimeout: 300_000 },
      },
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
