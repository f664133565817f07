import { describe, expect, it } from 'vitest';
import { exportDestination, folderTarget, parseFolderExport } from '../../../../src/core/buildkit/export-folder.ts';

describe('a folder export', () => {
  it.each([
    ['builder:/app/dist=out', { stage: 'builder', source: '/app/dist', folder: 'out' }],
    ['/app/dist/', { stage: undefined, source: '/app/dist', folder: 'dist' }],
    ['web-gpu:/=root', { stage: 'web-gpu', source: '/', folder: 'root' }],
  ])('%s is read', (text, expected) => {
    expect(parseFolderExport(text)).toEqual(expected);
  });

  it.each(['app/dist', 'builder:app', 'builder:/a/../../etc=x', ''])('%j is refused', (text) => {
    expect(() => parseFolderExport(text)).toThrow('stage:/path=folder');
  });

  it.each(['.', '..', '../x', 'a/../..', '/etc'])('does not go to %s', (folder) => {
    expect(() => exportDestination('/work', folder)).toThrow('inside the workspace');
  });

  it('copies with one instruction, whose path no shell and no template reads', () => {
    const target = folderTarget('app', '/a "b"', '/work/out');
    expect(target['dockerfile-inline']).toBe('FROM scratch AS export\nCOPY --from=exported ["/a \\"b\\"","/"]\n');
    expect(target).toMatchObject({ contexts: { exported: 'target:app' }, output: ['type=local,dest=/work/out'] });
  });
});
