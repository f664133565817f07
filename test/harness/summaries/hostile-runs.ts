import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TemporaryRepository } from '../../unit/core/git/temporary-repository.ts';
import { runAction } from '../runner/run-action.ts';
import type { Sample } from './sample-runs.ts';

const root = path.resolve(import.meta.dirname, '../../..');

/** What names of files, folders and refs may be, and Markdown, HTML or Mermaid might take for its own. */
export const HOSTILE_NAMES = [
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)<',
  '**bold** _and_ ~~struck~~',
  'a|b|c',
  '`ticks` ``` ~~~',
  '[link](javascript:alert)',
  '![image](x)',
  '<details><summary>x',
  '@octocat #1 &lt; &#42; \\',
  'x'.repeat(200),
];

/** Summaries of the actions whose texts come from whoever opens a pull request, and of a repository of 400 images. */
export async function hostileSamples(): Promise<readonly Sample[]> {
  return [await matrixOfNames(), await matrixOfMany(), await models(), await tags()];
}

async function matrixOfNames(): Promise<Sample> {
  const folders = HOSTILE_NAMES.map((name) => name.replaceAll('/', '-'));
  await using repository = await TemporaryRepository.create(
    Object.fromEntries([
      ...folders.map((name) => [`${name}/Dockerfile`, `FROM base-${folders.indexOf(name)}\nCOPY . /\n`]),
      ['app/Dockerfile', 'FROM alpine AS "x"]\n'],
    ]),
  );
  const before = await repository.id('HEAD');
  await repository.commit(Object.fromEntries(folders.slice(2).map((name) => [`${name}/${name}`, ''])));
  return await sample('hostile/build-matrix', repository.folder, { before }, { source: 'dockerfiles' });
}

async function matrixOfMany(): Promise<Sample> {
  const images = Array.from({ length: 400 }, (_, index) => `service-${index}`);
  await using repository = await TemporaryRepository.create(
    Object.fromEntries(images.map((name) => [`${name}/Dockerfile`, 'FROM scratch\nCOPY . /\n'])),
  );
  return await sample('many/build-matrix', repository.folder, {}, {});
}

async function models(): Promise<Sample> {
  const folder = await mkdtemp(path.join(tmpdir(), 'slipway-models-'));
  try {
    for (const name of HOSTILE_NAMES)
      await writeFile(path.join(folder, `${name.replaceAll('/', '-')}.pkl`), 'cos\nsystem\n.');
    return await sample('hostile/model-verify', folder, {}, { models: '*.pkl' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tags(): Promise<Sample> {
  await using repository = await TemporaryRepository.create({ f: '' });
  const inputs = { tags: 'type=ref,event=branch\ntype=raw,value=<b>|`x`', images: 'ghcr.io/acme/app' };
  return await sample('hostile/metadata-tags', repository.folder, {}, inputs, 'refs/heads/<img>|`x`**');
}

async function sample(
  name: string,
  workspace: string,
  payload: object,
  inputs: Readonly<Record<string, string>>,
  ref = 'refs/heads/main',
): Promise<Sample> {
  const action = path.basename(name);
  const result = await runAction({
    action: path.join(root, 'actions', action),
    inputs,
    workspace,
    event: {
      name: 'push',
      ref,
      sha: 'a'.repeat(40),
      repository: 'acme/app',
      token: 'ghs_token',
      payload: { ...payload, repository: { default_branch: 'main' } },
    },
  });
  if (result.summary === '') throw new Error(`${name} left no summary:\n${result.log}`);
  return { name, action, title: action, markdown: result.summary };
}
