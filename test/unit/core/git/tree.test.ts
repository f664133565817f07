import { describe, expect, it } from 'vitest';
import { parseChanges, readBlobs, readChanges, readTree, undoChanges } from '../../../../src/core/git/tree.ts';
import { TemporaryRepository } from './temporary-repository.ts';

const COMMIT_A = 'a'.repeat(40);
const COMMIT_B = 'b'.repeat(40);

describe('trees and changes of a real repository', () => {
  it('sees additions, deletions, contents, modes, links and submodules, and a rename as two changes', async () => {
    await using repository = await TemporaryRepository.create({
      edited: 'one\n',
      deleted: 'x\n',
      'renamed-from': 'a long enough text to be found as a rename\n'.repeat(9),
      'mode.sh': 'x\n',
      link: { link: 'edited' },
      'lib/sub': { submodule: COMMIT_A },
      'with blank and ünïcode\n': 'x',
      kept: 'x',
    });
    const base = await repository.id('HEAD');
    await repository.git.run(['update-index', '--cacheinfo', `160000,${COMMIT_B},lib/sub`]);
    const head = await repository.commit({
      edited: 'two\n',
      deleted: null,
      'renamed-from': null,
      'renamed-to': 'a long enough text to be found as a rename\n'.repeat(9),
      'mode.sh': { script: 'x\n' },
      link: { link: 'kept' },
      'lib/sub': { submodule: COMMIT_B },
      'with blank and ünïcode\n': 'y',
      'added/deep': 'x',
    });

    const changes = await readChanges(repository.git, base, head);
    const kinds = changes.map(({ path, before, after }) => [path, before?.mode, after?.mode]);
    expect(kinds.sort()).toEqual([
      ['added/deep', undefined, '100644'],
      ['deleted', '100644', undefined],
      ['edited', '100644', '100644'],
      ['lib/sub', '160000', '160000'],
      ['link', '120000', '120000'],
      ['mode.sh', '100644', '100755'],
      ['renamed-from', '100644', undefined],
      ['renamed-to', undefined, '100644'],
      ['with blank and ünïcode\n', '100644', '100644'],
    ]);

    const before = await readTree(repository.git, base);
    const after = await readTree(repository.git, head);
    expect(undoChanges(after, changes)).toEqual(before);
    expect(after.map(({ path }) => path)).toEqual(after.map(({ path }) => path).sort());
  });

  it('sees a submodule although .gitmodules asks to ignore it', async () => {
    await using repository = await TemporaryRepository.create({
      '.gitmodules': '[submodule "s"]\n\tpath = s\n\turl = ./s\n\tignore = all\n',
      s: { submodule: COMMIT_A },
    });
    const base = await repository.id('HEAD');
    const head = await repository.commit({ s: { submodule: COMMIT_B } });
    expect(await readChanges(repository.git, base, head)).toHaveLength(1);
  });

  it('reads the texts of blobs in one process, whatever they hold', async () => {
    const files = { a: 'one\n', empty: '', 'no-end': 'x\ny', nulls: 'a\0b\n', big: 'line\n'.repeat(50_000) };
    await using repository = await TemporaryRepository.create(files);
    const tree = await readTree(repository.git, 'HEAD');
    const texts = await readBlobs(
      repository.git,
      tree.map(({ id }) => id),
    );
    const read = Object.fromEntries(tree.map(({ path, id }) => [path, texts.get(id)]));
    expect(read).toEqual(files);
  });

  it('reads no change from no output', () => {
    expect(parseChanges('')).toEqual([]);
  });
});
