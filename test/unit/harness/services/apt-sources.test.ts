import { expect, test } from 'vitest';
import {
  formatAptSources,
  ownSources,
  parseAptSources,
  parseDistribution,
  sidSource,
} from '../../../harness/services/apt-sources.ts';
import { parsePrintedUris } from '../../../harness/services/debian-packages.ts';

const bookworm = { id: 'debian', idLike: [], codename: 'bookworm' };

test('reads deb822 stanzas: comments inside, several suites, keys, disabled and source-only stanzas', () => {
  const text = [
    'Types: deb deb-src',
    '# a comment between the fields',
    'URIs: http://mirror.example/debian',
    'Suites: bookworm bookworm-updates',
    'Components: main contrib',
    'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
    '',
    'Enabled: no',
    'Types: deb',
    'URIs: http://off.example/',
    'Suites: bookworm',
    '',
    'Types: deb-src',
    'URIs: http://source.example/',
    'Suites: bookworm',
  ].join('\n');
  const signedBy = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const both = { uri: 'http://mirror.example/debian', components: ['main', 'contrib'], signedBy };
  expect(parseAptSources('debian.sources', text)).toEqual([
    { ...both, suite: 'bookworm' },
    { ...both, suite: 'bookworm-updates' },
  ]);
});

test('keeps a key that stands inside a stanza, so that the private configuration trusts it too', () => {
  const text =
    'Types: deb\nURIs: http://m.example/\nSuites: noble\nComponents: main\nSigned-By:\n -----BEGIN\n .\n abc\n -----END';
  const [source] = parseAptSources('ubuntu.sources', text);
  expect(source?.signedBy).toBe('\n -----BEGIN\n .\n abc\n -----END');
  expect(parseAptSources('again.sources', formatAptSources(source === undefined ? [] : [source]))).toEqual([source]);
});

test.each([
  ['deb http://m.example/debian bookworm main # why', ['main'], undefined],
  ['deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm main contrib', ['main', 'contrib'], '/k.gpg'],
])('reads the line %s', (line, components, signedBy) => {
  const expected = { uri: 'http://m.example/debian', suite: 'bookworm', components, signedBy };
  expect(parseAptSources('sources.list', `# none\ndeb-src http://m.example/debian bookworm main\n${line}\n`)).toEqual([
    expected,
  ]);
});

test('takes sid from the mirror of the own release, and no source of a third party', () => {
  const lines = [
    'deb http://third.example/node nodistro main',
    'deb http://m.example/security bookworm-security main',
    'deb http://m.example/debian bookworm main',
  ];
  const sources = parseAptSources('sources.list', lines.join('\n'));
  expect(ownSources(sources, bookworm).map(({ suite }) => suite)).toEqual(['bookworm-security', 'bookworm']);
  expect(sidSource(sources, bookworm)).toMatchObject({
    uri: 'http://m.example/debian',
    suite: 'sid',
    components: ['main'],
  });
  expect(sidSource(sources, { ...bookworm, id: 'ubuntu' })).toBeUndefined();
});

test('knows a distribution by its codename', () => {
  expect(parseDistribution('ID=ubuntu\nID_LIKE="debian x"\nVERSION_CODENAME=noble\n')).toEqual({
    id: 'ubuntu',
    idLike: ['debian', 'x'],
    codename: 'noble',
  });
  expect(parseDistribution('ID=alpine\n')).toBeUndefined();
});

test('names the archives that apt would fetch', () => {
  const printed =
    "'http://m.example/b.deb' b_1%3a2_amd64.deb 12 SHA256:ff\nReading lists\n'http://m.example/a.deb' a_1_all.deb 3 \n";
  expect(parsePrintedUris(printed)).toEqual(['a_1_all.deb', 'b_1%3a2_amd64.deb']);
});
