import { expect, test } from 'vitest';
import { createWorkspace } from '../../../harness/site/workspace.ts';
import { startMemoryS3 } from '../../../harness/standins/memory-s3.ts';

test('a few changed files stand open with their size, and the weight is told against the last release', async () => {
  await using server = await startMemoryS3();
  await using site = await createWorkspace({ 'index.html': '<p>one</p>', 'logo.svg': '<svg/>' });
  const first = (await site.deploy(server.endpoint)).summary;
  expect(first).toContain('| <code>index.html</code> | new | 10&nbsp;B | <code>no-cache</code> |');
  expect(first).not.toContain('<details>');

  await site.write('index.html', '<p>one and two</p>');
  const second = (await site.deploy(server.endpoint)).summary;
  expect(second).toContain('**2 files, 24 B (+8 B against the last release)**: 1 sent (18 B), 1 unchanged.');
  expect(second).toContain('| <code>index.html</code> | changed | 18&nbsp;B |');
  expect((await site.deploy(server.endpoint)).summary).toMatch(
    /^## Unchanged: release .*\n\n.*\n\n.*: 2 unchanged\.\n/,
  );
});

test('many changed files are folded, by name and by type', async () => {
  await using server = await startMemoryS3();
  const assets = Array.from({ length: 30 }, (_, index) => [`assets/chunk-${index}a1b2c3d4.js`, `${index}`] as const);
  await using site = await createWorkspace({ 'index.html': '', ...Object.fromEntries(assets) });
  const { summary } = await site.deploy(server.endpoint);
  expect(summary).toContain('<details><summary>31 changed files</summary>');
  expect(summary).toContain('| Type | Files | Size |\n| --- | ---: | ---: |\n| <code>.js</code> | 30 | 50&nbsp;B |');
  expect(summary?.match(/^\| <code>/gm)?.length).toBe(31 + 2 + 10);
});
