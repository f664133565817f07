import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createGit, type Git } from '../../../../src/core/git/git.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';

/** Contents by path: text, `null` to delete, or a link, an executable, a submodule. */
export type Files = Readonly<
  Record<string, string | null | { link: string } | { script: string } | { submodule: string }>
>;

/** A real repository in a folder that is deleted at the end of the scope. */
export class TemporaryRepository implements AsyncDisposable {
  readonly folder: string;
  readonly git: Git;

  constructor(folder = mkdtempSync(join(tmpdir(), 'slipway-git-'))) {
    this.folder = folder;
    this.git = createGit(runCommand, folder, cleanEnvironment());
  }

  static async create(files: Files = {}): Promise<TemporaryRepository> {
    const repository = new TemporaryRepository();
    await repository.git.run(['init', '--quiet', '--initial-branch=main']);
    await repository.commit(files);
    return repository;
  }

  /** A clone through git's own protocol, so that `--depth` holds. */
  async clone(...args: readonly string[]): Promise<TemporaryRepository> {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-clone-'));
    await this.git.run(['clone', '--quiet', ...args, `file://${this.folder}`, folder]);
    return new TemporaryRepository(folder);
  }

  async commit(files: Files): Promise<string> {
    for (const [path, content] of Object.entries(files)) await this.#put(path, content);
    await this.git.run([
      'add',
      '--all',
      '--',
      '.',
      ...Object.entries(files).flatMap(([path, content]) => (isSubmodule(content) ? [`:!${path}`] : [])),
    ]);
    await this.git.run(['commit', '--quiet', '--allow-empty', '--message=step']);
    return this.id('HEAD');
  }

  async id(revision: string): Promise<string> {
    return (await this.git.run(['rev-parse', revision])).stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #put(path: string, content: Files[string]): Promise<void> {
    const absolute = join(this.folder, path);
    if (content === null) return rmSync(absolute, { recursive: true });
    mkdirSync(dirname(absolute), { recursive: true });
    if (content === undefined) return;
    if (typeof content === 'string') return writeFileSync(absolute, content);
    rmSync(absolute, { force: true, recursive: true });
    if ('link' in content) return symlinkSync(content.link, absolute);
    if ('submodule' in content) {
      mkdirSync(absolute);
      await this.git.run(['update-index', '--add', '--cacheinfo', `160000,${content.submodule},${path}`]);
      return;
    }
    writeFileSync(absolute, content.script);
    chmodSync(absolute, 0o755);
  }
}

function isSubmodule(content: Files[string]): boolean {
  return typeof content === 'object' && content !== null && 'submodule' in content;
}

/** Nothing of the machine's own git configuration, and nobody's name. */
export function cleanEnvironment(): Record<string, string | undefined> {
  return {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@example.com',
    GIT_ALLOW_PROTOCOL: 'file',
  };
}
