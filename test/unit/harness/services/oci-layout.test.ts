import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { writeOciLayout } from '../../../harness/services/oci-layout.ts';

test('gives the same layers and settings the same digest, and each blob the name of its digest', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'slipway-oci-'));
  try {
    const write = async (name: string, command: string) => {
      const layer = { tar: path.join(folder, `${name}.tar`), gzip: path.join(folder, `${name}.tar.gz`) };
      await writeFile(layer.tar, 'files');
      await writeFile(layer.gzip, gzipSync('files'));
      return await writeOciLayout(path.join(folder, name), [layer], { environment: ['A=b'], command: [command] });
    };
    const first = await write('first', 'sh');
    expect((await write('second', 'sh')).manifest).toEqual(first.manifest);
    expect((await write('third', 'bash')).manifest.digest).not.toBe(first.manifest.digest);
    const blob = await readFile(
      path.join(folder, 'first/blobs/sha256', first.manifest.digest.slice('sha256:'.length)),
      'utf8',
    );
    expect(JSON.parse(blob)).toMatchObject({ schemaVersion: 2, config: first.blobs[0], layers: [first.blobs[1]] });
  } finally {
    await rm(folder, { recursive: true });
  }
});
