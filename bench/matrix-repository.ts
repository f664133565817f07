import { spawnSync } from 'node:child_process';

export interface RepositorySize {
  readonly images: number;
  readonly filesPerImage: number;
  /** Files that the second commit changes, spread over the images. */
  readonly changes: number;
}

/**
 * Makes a repository of two commits without a working tree: each image has a folder with a Dockerfile of two stages
 * and files, of which it copies some by name and some by folder; every tenth is built from a folder all share.
 */
export function makeRepository(folder: string, { images, filesPerImage, changes }: RepositorySize): void {
  const lines: string[] = [];
  const blob = (path: string, text: string): void => {
    lines.push(`M 100644 inline ${path}`, `data ${Buffer.byteLength(text)}`, text);
  };
  const commit = (message: string): void => {
    lines.push(
      'commit refs/heads/main',
      'committer a <a@example.com> 1700000000 +0000',
      `data ${message.length}`,
      message,
    );
  };
  const pathOf = (image: number, file: number): string => `services/s${image}/src/part${file % 5}/file${file}.py`;
  commit('first');
  blob('shared/lib.py', 'shared\n');
  for (let image = 0; image < images; image += 1) {
    const dockerfile = [
      'FROM python:3.12-slim AS builder',
      'COPY requirements.txt ./',
      'RUN pip install -r requirements.txt',
      'FROM python:3.12-slim',
      'COPY --from=builder /usr/local /usr/local',
      'COPY src/part0 src/part1/*.py /app/',
      image % 10 === 0 ? 'COPY . /all' : 'COPY src/ /app/src/',
      'USER 1000',
      '',
    ];
    blob(`services/s${image}/Dockerfile`, dockerfile.join('\n'));
    blob(`services/s${image}/requirements.txt`, `package-${image}\n`);
    for (let file = 0; file < filesPerImage - 2; file += 1) blob(pathOf(image, file), `${image} ${file}\n`);
  }
  commit('second');
  for (let change = 0; change < changes; change += 1) {
    const step = Math.floor(change / images);
    blob(pathOf(change % images, step % Math.max(1, filesPerImage - 2)), `changed ${change}\n`);
  }
  git(folder, ['init', '--quiet', '--initial-branch=main']);
  git(folder, ['fast-import', '--quiet'], `${lines.join('\n')}\n`);
  git(folder, ['symbolic-ref', 'HEAD', 'refs/heads/main']);
}

export function git(folder: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    input,
    maxBuffer: 1024 * 1024 * 1024,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' },
  });
  if (status !== 0) throw new Error(`git ${args[0]} failed: ${stderr}`);
  return stdout.trim();
}
