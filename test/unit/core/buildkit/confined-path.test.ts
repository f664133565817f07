import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isInside } from '../../../../src/core/buildkit/confined-path.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'confined-'));
  await mkdir(join(root, 'work', 'a'), { recursive: true });
  await mkdir(join(root, 'work-other'));
  await symlink('a', join(root, 'work', 'inner'));
  await symlink(join(root, 'work-other'), join(root, 'work', 'outer'));
  await symlink('work', join(root, 'alias'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

it.each([
  ['.', true],
  ['a', true],
  ['a/new/deeper', true],
  ['inner', true],
  ['outer', false],
  ['outer/new', false],
  ['../work-other', false],
  ['/etc', false],
])('a path %s lies inside: %s', async (path, expected) => {
  expect(await isInside(join(root, 'work'), path)).toBe(expected);
  expect(await isInside(join(root, 'alias'), path)).toBe(expected);
});
