// `npm test`: units, contracts of the bundles, and end to end with real services. Ends with `N passed, N failed`.
// Arguments are handed to vitest: `npm test -- --project unit test/unit/core/tags`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTally } from './write-tally.ts';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'slipway-test-'));
const report = join(folder, 'report.json');
const ran = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
);

const {
  numPassedTests: passed,
  numFailedTests,
  numFailedTestSuites,
  success,
} = JSON.parse(readFileSync(report, 'utf8'));
rmSync(folder, { recursive: true });
// A file that could not be loaded, or a service that did not start, fails no test by name: it counts as one failure.
const failed = Math.max(numFailedTests, numFailedTestSuites > 0 || !success || ran.status !== 0 ? 1 : 0);
writeTally('tests', { passed, failed });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = ran.status === 0 && failed === 0 ? 0 : 1;
