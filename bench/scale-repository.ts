import { git } from './matrix-repository.ts';
import type { Push } from './scale-day.ts';

export interface MonorepoSize {
  /** Base images and services together. */
  readonly images: number;
  /** Images that the services are built from, each by its share of them. */
  readonly bases: number;
  /** Libraries, each copied by its share of the services. */
  readonly libraries: number;
  readonly filesPerService: number;
}

export const VARIANTS = ['slim', 'cpu', 'gpu'] as const;
export type Variant = (typeof VARIANTS)[number];

/** What the base images of each variant are built from; the name of the GPU's says that it is one. */
const UPSTREAM: Readonly<Record<Variant, string>> = {
  slim: 'python:3.12-slim',
  cpu: 'python:3.12',
  gpu: 'nvidia/cuda:12.4.1-runtime-ubuntu22.04',
};

/**
 * Makes a repository whose first commit holds every image, and which has a commit more for each push that is no tag.
 * Services are built from a base image of the repository, and copy their own folder and one library.
 *
 * @returns The commit before each push, and the one pushed.
 */
export function makeMonorepo(
  folder: string,
  size: MonorepoSize,
  pushes: readonly Push[],
): readonly { readonly before: string; readonly after: string }[] {
  const services = size.images - size.bases;
  const lines: string[] = [];
  const write = (path: string, text: string): void => {
    lines.push(`M 100644 inline ${path}`, `data ${Buffer.byteLength(text)}`, text);
  };
  const commit = (message: string): void => {
    const committer = 'committer a <a@example.com> 1700000000 +0000';
    lines.push('commit refs/heads/main', committer, `data ${message.length}`, message);
  };
  commit('every image');
  write('.github/images.yml', definitions(size));
  write('README.md', 'A monorepo.\n');
  for (let base = 0; base < size.bases; base += 1) {
    write(`bases/b${base}/Dockerfile`, baseDockerfile);
    write(`bases/b${base}/packages.txt`, `base ${base}\n`);
  }
  for (let library = 0; library < size.libraries; library += 1) write(`libs/l${library}/lib.py`, `${library}\n`);
  for (let service = 0; service < services; service += 1) {
    write(`services/s${service}/Dockerfile`, serviceDockerfile(service, size));
    write(`services/s${service}/requirements.txt`, `package-${service}\n`);
    for (let file = 0; file < size.filesPerService - 2; file += 1)
      write(`services/s${service}/src/file${file}.py`, `${service} ${file}\n`);
  }
  for (const [index, { path }] of pushes.entries()) {
    if (path === undefined) continue;
    commit(`push ${index}`);
    write(path, path.endsWith('Dockerfile') ? `${baseDockerfile}ENV PUSH=${index}\n` : `push ${index}\n`);
  }
  git(folder, ['init', '--quiet', '--initial-branch=main']);
  git(folder, ['fast-import', '--quiet'], `${lines.join('\n')}\n`);
  const commits = git(folder, ['rev-list', '--reverse', 'main']).split('\n');
  return pairsOf(commits, pushes);
}

/** A tag is pushed on the commit that is there; every other push makes the next one. */
function pairsOf(
  commits: readonly string[],
  pushes: readonly Push[],
): readonly { readonly before: string; readonly after: string }[] {
  let at = 0;
  return pushes.map(({ path }) => {
    const before = commits[at] ?? '';
    if (path !== undefined) at += 1;
    return { before, after: commits[at] ?? '' };
  });
}

const baseDockerfile = [
  'ARG UPSTREAM',
  'FROM ${UPSTREAM}',
  'COPY packages.txt /',
  'RUN install-packages /packages.txt',
  '',
].join('\n');

function serviceDockerfile(service: number, { bases, libraries }: MonorepoSize): string {
  const folder = `services/s${service}`;
  return [
    'ARG VARIANT',
    `FROM acme/base${service % bases}:\${VARIANT}`,
    `COPY ${folder}/requirements.txt ./`,
    'RUN pip install -r requirements.txt',
    `COPY libs/l${service % libraries} /app/lib`,
    `COPY ${folder}/src /app/src`,
    'USER 1000',
    '',
  ].join('\n');
}

function definitions({ images, bases }: MonorepoSize): string {
  const base = (index: number): string => {
    const variants = VARIANTS.map(
      (name) => `${name}: { args: { UPSTREAM: "${UPSTREAM[name]}" }, tags: ["acme/base${index}:${name}"] }`,
    );
    return `  base${index}: { context: bases/b${index}, variants: { ${variants.join(', ')} } }`;
  };
  const service = (index: number): string => {
    const variants = VARIANTS.map((name) => `${name}: { args: { VARIANT: ${name} } }`);
    return `  s${index}: { context: ., dockerfile: services/s${index}/Dockerfile, variants: { ${variants.join(', ')} } }`;
  };
  return [
    'images:',
    ...Array.from({ length: bases }, (_, index) => base(index)),
    ...Array.from({ length: images - bases }, (_, index) => service(index)),
    '',
  ].join('\n');
}
