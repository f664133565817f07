import { describe, expect, it } from 'vitest';
import { formatRecord, parseRecord, type RecordedFile } from '../../../../src/core/site/release-record.ts';

const release = { id: '20261120T101500Z-1a2b3c4-9f3e', commit: 'c0ffee', time: '2026-11-20T10:15:00Z' };
const headers = { 'content-type': 'text/html; charset=utf-8', 'x-amz-meta-build_2': 'yes' };
const page: RecordedFile = {
  path: 'ä b/index.html',
  size: 5,
  sha256: 'a'.repeat(64),
  kind: 'document',
  headers,
  kept: { pack: 'pack-1', offset: 7 },
};
const chunk: RecordedFile = { ...page, path: 'app-1a2b3c4d.js', kind: 'fingerprinted', kept: undefined };

describe('the record of a release', () => {
  it('comes back as it was written, with headers that repeat written once', () => {
    const text = formatRecord({ release, files: [page, chunk] }).toString();
    expect(parseRecord(text, 'key')).toEqual({ release, files: [page, chunk] });
    expect(text.split('x-amz-meta-build_2')).toHaveLength(2);
  });

  const hostile: readonly (readonly [says: string, change: (text: string) => string])[] = [
    ['no JSON', () => 'hello'],
    ['another version', (text) => text.replace('"slipway": 1', '"slipway": 2')],
    ['a path out of the site', (text) => text.replace('ä b/', '../')],
    ["a path into the site's own folder", (text) => text.replace('ä b/', '.slipway/')],
    ['a digest that is none', (text) => text.replace('a'.repeat(64), 'a'.repeat(63))],
    ['a kind of file that is none', (text) => text.replace('"document"', '"virus"')],
    ['a header that would change the request', (text) => text.replace('x-amz-meta-build_2', 'x-amz-copy-source')],
    ['a header with a line end', (text) => text.replace('"yes"', '"yes\\r\\nhost: evil"')],
    ['a release that is a path', (text) => text.replace('20261120T', '../20261120T')],
  ];
  it.each(hostile)('is refused with %s', (_, change) => {
    const text = change(formatRecord({ release, files: [page, chunk] }).toString());
    expect(() => parseRecord(text, 'the key')).toThrow('the key is no record of a release');
  });
});
