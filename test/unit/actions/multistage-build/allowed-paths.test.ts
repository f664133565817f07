import { expect, test } from 'vitest';
import { readAllowedPaths } from '../../../../src/actions/multistage-build/allowed-paths.ts';
import { buildInputs, row } from './build-inputs.ts';

const place = { workspace: '/work/app', folder: '/temp/private' };

test.each<[Readonly<Record<string, string>>, readonly string[]]>([
  [{ context: '.' }, []],
  [{ context: '../other', file: '/etc/Dockerfile' }, ['fs.read=../other', 'fs.read=/etc/Dockerfile']],
  [{ context: '/work/app/sub', file: 'sub/Dockerfile' }, []],
  [{ context: 'https://github.com/a/b.git', 'build-contexts': 'x=docker-image://y\nz=../z' }, ['fs.read=../z']],
  [{ context: '{{defaultContext}}:sub' }, []],
  [{ context: '.', 'secret-files': 'a=/run/a\nb=b.txt' }, ['fs.read=/run/a']],
  [
    {
      context: '.',
      outputs: 'type=local,dest=/out\ntype=tar,"dest=out.tar"',
      'cache-to': 'type=local,dest=/c,mode=max',
    },
    ['fs.write=/out', 'fs.write=/c'],
  ],
  [{ context: '.', 'cache-from': 'type=local,src=/c' }, ['fs.read=/c']],
  [{ context: '.', cache: 'local', 'cache-folder': '/c' }, ['fs=/c']],
  // A row's text may come from a pull request: it opens no folder.
  [{ image: JSON.stringify({ ...row, context: 'link', dockerfile: 'link/Dockerfile' }) }, []],
])('%j allows the private folder and %j', (texts, expected) => {
  expect(readAllowedPaths(buildInputs(texts), place)).toEqual(['fs=/temp/private', ...expected]);
});
