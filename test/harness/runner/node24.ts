/** The Node.js that JavaScript actions run on: GitHub's node24, wherever the tests themselves run. */
import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

let found: string | undefined;

/** Finds the repository's own `node` package above this file. @throws Error when it is missing or of another major. */
export function node24(): string {
  found ??= findNode24();
  return found;
}

function findNode24(): string {
  if (process.versions.node.startsWith('24.')) return process.execPath;
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', '.bin', 'node');
    if (existsSync(candidate)) {
      const version = execFileSync(candidate, ['--version'], { encoding: 'utf8' }).trim();
      if (!version.startsWith('v24.')) throw new Error(`${candidate} is ${version}, but actions run on Node 24`);
      return realpathSync(candidate);
    }
    if (dirname(folder) === folder) throw new Error('the npm package "node" (version 24) is not installed');
  }
}
