import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync } from 'node:fs';
import path from 'node:path';

/** A git repository that a workflow is run on; the one it was made from is not touched. */
export interface Workspace {
  readonly folder: string;
  head(): string;
  /** Commits one more line at the end of a file, and returns the commit before. */
  addLine(file: string, line: string): string;
}

/** A clone of a repository, or the first commit of a folder that is none. */
export function makeWorkspace(source: string, folder: string): Workspace {
  if (!existsSync(source)) throw new Error(`${source} is not there`);
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', folder, ...IDENTITY, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  if (existsSync(path.join(source, '.git'))) {
    execFileSync('git', ['clone', '--quiet', '--no-hardlinks', source, folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    git('checkout', '--quiet', '-B', 'main');
  } else {
    cpSync(source, folder, { recursive: true });
    git('init', '--quiet', '--initial-branch=main');
    git('add', '--all');
    git('commit', '--quiet', '--message', 'The first release');
  }
  return {
    folder,
    head: () => git('rev-parse', 'HEAD'),
    addLine(file, line) {
      const before = git('rev-parse', 'HEAD');
      appendFileSync(path.join(folder, file), `${line}\n`);
      git('commit', '--quiet', '--all', '--message', `Change ${file}`);
      return before;
    },
  };
}

const IDENTITY = [
  '-c',
  'user.name=Developer',
  '-c',
  'user.email=developer@example.invalid',
  '-c',
  'commit.gpgsign=false',
];
