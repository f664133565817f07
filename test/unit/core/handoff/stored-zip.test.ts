import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readZip, writeZip } from '../../../../src/core/handoff/stored-zip.ts';
import { temporaryFolder } from '../registry/oci-layout.ts';

describe('writeZip', () => {
  test('gives back what was written, and equal content makes equal bytes', () => {
    const entry = { name: 'build.json', bytes: Buffer.from('{"version":1}') };
    expect(readZip(writeZip(entry), 1000)).toEqual(entry);
    expect(writeZip(entry)).toEqual(writeZip(entry));
  });

  test('writes what another reader of zip archives takes', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.zip');
    writeFileSync(path, writeZip({ name: 'build.json', bytes: Buffer.from('content ä') }));
    const script =
      'import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);assert z.testzip() is None;print(z.namelist()[0]+"|"+z.read("build.json").decode(),end="")';
    expect(execFileSync('python3', ['-c', script, path], { encoding: 'utf8' })).toBe('build.json|content ä');
  });
});

describe('readZip', () => {
  test('reads deflated archives of other writers', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.zip');
    const script =
      'import sys,zipfile;z=zipfile.ZipFile(sys.argv[1],"w",zipfile.ZIP_DEFLATED);z.writestr("x.json","y"*5000);z.close()';
    execFileSync('python3', ['-c', script, path]);
    expect(readZip(readFileSync(path), 10_000).bytes.length).toBe(5000);
  });

  const good = writeZip({ name: 'a', bytes: Buffer.from('hello') });
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(good);
    copy.writeUInt8(value, at);
    return copy;
  };
  const bomb = (() => {
    const packed = deflateRawSync(Buffer.alloc(1_000_000));
    const archive = writeZip({ name: 'a', bytes: packed });
    const central = archive.length - 22 - 46 - 1;
    archive.writeUInt16LE(8, central + 10);
    return archive;
  })();

  test.each([
    ['is empty', Buffer.alloc(0), 'no zip archive'],
    ['is cut off', good.subarray(0, 20), 'no zip archive'],
    ['has a flipped byte of content', changed(31, 0x20), 'checksum'],
    ['holds two files', changed(good.length - 12, 2), 'exactly one file'],
    ['points nowhere', changed(good.length - 3, 0x7f), 'no central directory'],
    ['unpacks to more than it says', bomb, 'larger than'],
  ])('refuses an archive that %s', (_what, archive, message) => {
    expect(() => readZip(archive, 10_000)).toThrow(message);
  });

  test('refuses a file larger than the bound', () => {
    expect(() => readZip(good, 4)).toThrow('larger than 4 bytes');
  });
});
