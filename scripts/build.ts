// Builds dist/ from src/: TypeScript to lib/, one dispatcher bundle with ncc, every chunk minified, a stub per action.
// `--check` builds aside and fails where dist/ differs: the committed bundles are what the sources say.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const names = [
  'build-matrix',
  'multistage-build',
  'metadata-tags',
  'ghcr-publish',
  'frontend-s3-deploy',
  'model-verify',
];

if (process.argv.includes('--check')) await check();
else await build(dist);

async function build(target: string): Promise<void> {
  const lib = join(root, 'lib');
  rmSync(lib, { recursive: true, force: true });
  run('typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
  // ncc reads the nearest package.json to see that the sources are ES modules.
  mkdirSync(join(root, '.cache'), { recursive: true });
  const work = mkdtempSync(join(root, '.cache/build-'));
  try {
    run('@vercel/ncc/dist/ncc/cli.js', [
      'build',
      join(lib, 'dispatch.js'),
      '--out',
      join(work, 'bundle'),
      '--license',
      'licenses.txt',
      '--no-cache',
      '--quiet',
    ]);
    await minify(join(work, 'bundle'));
    for (const name of names) {
      mkdirSync(join(work, name));
      writeFileSync(
        join(work, name, 'index.js'),
        `import { start } from '../bundle/index.js';\nawait start('${name}');\n`,
      );
    }
    writeFileSync(join(work, 'package.json'), '{ "type": "module" }\n');
    // mkdtemp makes folders that only their owner may read.
    chmodSync(work, 0o755);
    rmSync(target, { recursive: true, force: true });
    renameSync(work, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const bytes = filesBelow(target).reduce((sum, file) => sum + readFileSync(join(target, file)).length, 0);
  console.log(`${target}: ${(bytes / 1e6).toFixed(2)} MB in ${filesBelow(target).length} files`);
}

/** `ncc -m` leaves chunks that load on demand as they are; this takes all. Names stay, for stack traces. */
async function minify(folder: string): Promise<void> {
  for (const file of filesBelow(folder)) {
    if (file === 'package.json') rmSync(join(folder, file));
    if (!file.endsWith('.js')) continue;
    const path = join(folder, file);
    const { code } = await transform(readFileSync(path, 'utf8'), {
      format: 'esm',
      target: 'node24',
      minify: true,
      keepNames: false,
      legalComments: 'none',
    });
    writeFileSync(path, code);
  }
}

async function check(): Promise<void> {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const fresh = join(root, '.cache', `dist-check-${process.pid}`);
  try {
    await build(fresh);
    const differing = [...new Set([...filesBelow(fresh), ...filesBelow(dist)])].filter(
      (file) => read(join(fresh, file)) !== read(join(dist, file)),
    );
    if (differing.length > 0) {
      console.error(
        `dist/ is not what the sources build; run "npm run build" and commit:\n  ${differing.join('\n  ')}`,
      );
      process.exitCode = 1;
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'latin1') : undefined;
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function run(script: string, args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status === 0) return;
  console.error(`${script} failed: dist/ is not built`);
  process.exit(1);
}
