// Writes what is derived from the sources: action.yml, action-types.yml and the README tables of every action from its
// contract, the JSON schema of image definitions from the keys that their reader takes, and the picture of the pipeline.
// `--check` writes nothing and fails, with the names, where a file is not what it would write.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { configSchema } from '../src/core/images/config-keys.ts';
import { contracts } from './contracts.ts';
import { actionTypes } from './generate/action-types.ts';
import { actionYaml } from './generate/action-yaml.ts';
import { drawPipeline } from './generate/pipeline-picture.ts';
import { readmeWithTables } from './generate/readme-tables.ts';

const root = join(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');
const stale: string[] = [];

for (const contract of contracts) {
  const folder = join(root, 'actions', contract.name);
  write(join(folder, 'action.yml'), actionYaml(contract));
  write(join(folder, 'action-types.yml'), actionTypes(contract));
  write(join(folder, 'README.md'), readmeWithTables(read(join(folder, 'README.md')), contract));
}
write(join(root, 'docs/images.schema.json'), `${JSON.stringify(configSchema(), null, 2)}\n`);
for (const scheme of ['light', 'dark'] as const)
  write(join(root, `docs/pictures/pipeline-${scheme}.svg`), drawPipeline(scheme));
if (stale.length > 0) {
  console.error(`not what the sources say; run "npm run generate" and commit:\n  ${stale.join('\n  ')}`);
  process.exitCode = 1;
}

function write(path: string, text: string): void {
  if (read(path) === text) return;
  stale.push(relative(root, path));
  if (isCheck) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(`wrote ${relative(root, path)}`);
  stale.pop();
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
