import { describe, expect, it } from 'vitest';
import { parseGlobs } from '../../../../src/core/runner/input-grammar.ts';
import { contentKind } from '../../../../src/core/site/content-type.ts';
import { applyHeaderRules } from '../../../../src/core/site/file-headers.ts';
import { kindOf } from '../../../../src/core/site/file-kind.ts';
import { findFingerprinted } from '../../../../src/core/site/fingerprint.ts';
import { parseCacheRules, parseHeaderRules } from '../../../../src/core/site/header-rules.ts';
import { invalidationPaths, siteRoots, wholeSite } from '../../../../src/core/site/invalidation-paths.ts';
import { compileGlob, compileGlobs, compileSelection } from '../../../../src/core/site/path-globs.ts';
import { parsePrefix } from '../../../../src/core/site/prefix.ts';
import { phaseOf } from '../../../../src/core/site/publish-order.ts';
import { parseManifest } from '../../../../src/core/site/release-manifest.ts';
import { findProblems } from '../../../../src/core/site/source-checks.ts';

describe('findFingerprinted', () => {
  it.each([
    ['webpack', 'static/js/main.8f3a2b1c.chunk.js'],
    ['webpack, whole', 'static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg'],
    ['Angular', 'main-4ZQ7KXRB.js'],
    ['Vite', 'assets/index-BxK3d9aZ.js'],
    ['Vite, with a dash inside', 'assets/vendor-D-8f_K2a.css'],
    ['Vite, a source map', 'assets/index-BxK3d9aZ.js.map'],
    ['Vite, compressed', 'assets/index-BxK3d9aZ.js.br'],
    ['esbuild', 'chunk-7QX2MBHV.js'],
    ['Next', '_next/static/chunks/app/page.js'],
    ['SvelteKit', '_app/immutable/entry/start.js'],
    ['Rails', 'application-0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9.css'],
  ])('knows the names of %s: %s', (_, path) => {
    expect([...findFingerprinted([path])]).toEqual([path]);
  });

  it.each([
    'report-20240131.pdf',
    'hero-1920x1080.jpg',
    'photo-1024x768.png',
    'index-homepage.js',
    'component-HomePage.js',
    'guide-Step2Nav.js',
    'guide-Chapter10.js',
    'release-VERSION2.txt',
    'jquery-3.7.1.min.js',
    'app.js',
    'sw.js',
    'deadbeef.js',
    'post-abcdefab.html',
    '8f3a2b1c.html',
    '_nuxt/builds/latest.json',
    'fonts/inter-latin-400.woff2',
    'assets/index-DkFbYqRs.js',
  ])('does not take %s for one', (path) => {
    expect([...findFingerprinted([path])]).toEqual([]);
  });

  it('believes a doubtful name beside two that leave no doubt', () => {
    const sure = ['assets/index-BxK3d9aZ.js', 'assets/vendor-C2xPq9Lm.js'];
    expect(findFingerprinted([...sure, 'assets/lazy-DkFbYqRs.js', 'assets/lib-HomePage.js'])).toEqual(
      new Set([...sure, 'assets/lazy-DkFbYqRs.js']),
    );
  });
});

describe('contentKind', () => {
  const beside = new Set(['app.js', 'index.html', 'data.json']);
  it.each([
    ['index.html', 'text/html; charset=utf-8', undefined],
    ['app.js', 'text/javascript; charset=utf-8', undefined],
    ['app.mjs', 'text/javascript; charset=utf-8', undefined],
    ['app.js.br', 'text/javascript; charset=utf-8', 'br'],
    ['app.js.gz', 'text/javascript; charset=utf-8', 'gzip'],
    ['data.json.br', 'application/json; charset=utf-8', 'br'],
    ['backup.tar.gz', 'application/gzip', undefined],
    ['style.css', 'text/css; charset=utf-8', undefined],
    ['app.js.map', 'application/json; charset=utf-8', undefined],
    ['manifest.webmanifest', 'application/manifest+json; charset=utf-8', undefined],
    ['icon.svg', 'image/svg+xml; charset=utf-8', undefined],
    ['a.wasm', 'application/wasm', undefined],
    ['a.woff2', 'font/woff2', undefined],
    ['a.avif', 'image/avif', undefined],
    ['FAVICON.ICO', 'image/x-icon', undefined],
    ['.well-known/apple-app-site-association', 'application/json; charset=utf-8', undefined],
    ['LICENSE', 'application/octet-stream', undefined],
    ['folder.js/LICENSE', 'application/octet-stream', undefined],
  ])('%s is %s (%s)', (path, type, encoding) => {
    expect(contentKind(path, (inner) => beside.has(inner))).toEqual({ type, encoding });
  });
});

describe('header rules', () => {
  const files = ['app-1a2b3c4d.js', 'index.html', 'logo.png', 'sw.js', 'doc.pdf', 'version.json'].map((path) => ({
    path,
    location: '',
    size: 1,
    sha256: '',
    crc32: 0,
  }));
  const isEntryDocument = compileGlobs(parseGlobs('/*.json'));
  const headersBy = (cache: string, headers: string, name: string) =>
    Object.fromEntries(
      applyHeaderRules(files, {
        cache: parseCacheRules(cache),
        headers: parseHeaderRules(headers),
        isEntryDocument,
        isEncodedBeside: true,
      }).map((file) => [file.path, file.headers[name]]),
    );

  it('keeps fingerprinted files for a year, asks for documents, and keeps the rest shortly', () => {
    expect(headersBy('', '', 'cache-control')).toEqual({
      'app-1a2b3c4d.js': 'public, max-age=31536000, immutable',
      'index.html': 'no-cache',
      'logo.png': 'public, max-age=300, must-revalidate',
      'sw.js': 'no-cache',
      'doc.pdf': 'public, max-age=300, must-revalidate',
      'version.json': 'no-cache',
    });
  });

  it('takes the first cache rule that matches', () => {
    const cache = '# comment\n*.png: max-age=60\n**: max-age=1\n*.js: max-age=2';
    expect(headersBy(cache, '', 'cache-control')).toMatchObject({ 'logo.png': 'max-age=60', 'sw.js': 'max-age=1' });
  });

  it('applies all header rules, the later over the earlier', () => {
    const rules =
      '**: x-amz-meta-team: web\n*.pdf: Content-Disposition: attachment; filename="a: b.pdf"\n*.pdf: X-Amz-Meta-Team: docs';
    expect(headersBy('', rules, 'x-amz-meta-team')).toMatchObject({ 'doc.pdf': 'docs', 'sw.js': 'web' });
    expect(headersBy('', rules, 'content-disposition')['doc.pdf']).toBe('attachment; filename="a: b.pdf"');
  });

  it.each([
    ['*.html no-cache', 'line 1'],
    ['*.html: ä', 'ASCII'],
  ])('refuses the cache rule %s', (text, message) => {
    expect(() => parseCacheRules(text)).toThrow(message);
  });

  it.each([
    ['\n**: Host: evil', 'line 2: "Host" is no header that S3 keeps'],
    ['**: x-amz-security-token: x', 'is no header that S3 keeps'],
    ['**: no-cache', 'write GLOB: Name: value'],
  ])('refuses the header rule %s', (text, message) => {
    expect(() => parseHeaderRules(text)).toThrow(message);
  });
});

describe('globs', () => {
  it.each([
    ['*.map', 'a/b/c.map', true],
    ['/*.json', 'version.json', true],
    ['/*.json', 'data/version.json', false],
    ['**/.env*', '.env.production', true],
    ['**/.git/**', '.git/config', true],
    ['assets/**', 'assets/a/b.js', true],
    ['assets/*', 'assets/a/b.js', false],
    ['docs/', 'docs/a.html', true],
    ['./docs/*.html', 'docs/a.html', true],
    ['!a', '!a', true],
  ])('%s on %s: %s', (glob, path, expected) => {
    expect(compileGlob(glob)(path)).toBe(expected);
  });

  it('takes back by include what exclude took out', () => {
    const takesPart = compileSelection(parseGlobs('*.map\nprivate/**'), parseGlobs('vendor.map'));
    expect(['a.js', 'a.map', 'vendor.map', 'private/x'].map(takesPart)).toEqual([true, false, true, false]);
  });
});

describe('findProblems', () => {
  const check = (...paths: string[]) =>
    findProblems(
      paths.map((path) => ({ path, location: '', size: 1 })),
      'app/',
      compileGlobs(parseGlobs('**/*.map\n**/.env*')),
    );

  it.each([
    [['ok.js', 'a b+c&d=e%.js', 'ü/日本.html'], []],
    [['A.js', 'a.js'], ['differ only in case']],
    [['\u00fc.js', 'u\u0308.js'], ['differ only in case']],
    [['a\nb'], ['control character']],
    [['a\\b'], ['backslash']],
    [['.slipway/manifest.json'], ['record of releases']],
    [['x'.repeat(1021)], ['longer than 1024 bytes']],
    [
      ['app.js.map', '.env'],
      ['must not be public', 'must not be public'],
    ],
  ])('%j: %j', (paths, expected) => {
    expect(check(...paths)).toEqual(expected.map((text) => expect.stringContaining(text)));
  });
});

describe('parsePrefix', () => {
  it.each([
    ['/', ''],
    ['app', 'app/'],
    ['/app/v2//', 'app/v2/'],
  ])('%s is %s', (text, prefix) => {
    expect(parsePrefix(text)).toBe(prefix);
  });
  it.each(['../x', 'a//b', 'a/./b', 'a\\b', '.slipway'])('refuses %s', (text) => {
    expect(() => parsePrefix(text)).toThrow('is no prefix');
  });
});

describe('the order of files', () => {
  const isEntryDocument = compileGlobs(parseGlobs('/*.json'));
  it.each([
    ['assets/a.js', false, 'new assets'],
    ['assets/a.js', true, 'replaced assets'],
    ['assets/a-1a2b3c4d.js', true, 'replaced assets'],
    ['about/index.html', true, 'documents'],
    ['version.json', true, 'documents'],
    ['index.html', false, 'start page'],
    ['sw.js', true, 'service workers'],
    ['app/ngsw.json', true, 'service workers'],
  ] as const)('%s (there: %s) goes in with the %s', (path, isReplaced, phase) => {
    const isFingerprinted = (name: string) => name.includes('1a2b');
    expect(phaseOf(kindOf(path, isEntryDocument, isFingerprinted), isReplaced)).toBe(phase);
  });
});

describe('invalidationPaths', () => {
  it.each([
    [['index.html', 'a b.png'], '', undefined, ['/index.html', '/', '/a%20b.png']],
    [['about/index.html'], 'app/', undefined, ['/about/index.html', '/about/', '/app/about/index.html', '/app/about/']],
    [['a.html'], 'app/', ['/app'], ['/a.html']],
    [['a.html'], 'app/', [''], ['/app/a.html']],
    [['a.html'], 'app/v2/', ['/app'], ['/v2/a.html']],
    [['a.html'], 'app/', ['/other'], ['/a.html', '/app/a.html']],
    [['a*b.html'], '', undefined, ['/a%2Ab.html']],
    [[], '', undefined, []],
  ])('of %j below %j with origins at %j are %j', (paths, prefix, origins, expected) => {
    expect(invalidationPaths(paths, siteRoots(prefix, origins))).toEqual(expected);
  });

  it('of a whole site are a wildcard at its root', () => {
    expect(wholeSite(siteRoots('app/', ['']))).toEqual(['/app/*']);
    expect(wholeSite(siteRoots('app/', ['/app']))).toEqual(['/*']);
  });

  it('folds many into a wildcard a folder, and very many into one', () => {
    const pages = (folders: number) => Array.from({ length: 40 }, (_, index) => `d${index % folders}/${index}.html`);
    expect(invalidationPaths([...pages(2), 'a.html'], [''])).toEqual(['/d0/*', '/d1/*', '/a.html']);
    expect(invalidationPaths(pages(20), [''])).toEqual(['/*']);
    expect(invalidationPaths([...pages(2), 'a.html'], ['app/'])).toEqual(['/app/d0/*', '/app/d1/*', '/app/a.html']);
    expect(invalidationPaths(pages(20), ['app/'])).toEqual(['/app/*']);
  });
});

describe('parseManifest', () => {
  it.each([
    ['text', 'it is no JSON'],
    ['{"slipway":2}', 'not of version 1'],
    ['{"slipway":1,"pending":null,"releases":[],"objects":[["a",-1,"","","",""]]}', 'entries of a wrong form'],
    ['{"slipway":1,"pending":{"release":"r"},"releases":[],"objects":[]}', 'entries of a wrong form'],
  ])('does not use %s', (source, reason) => {
    const reasons: string[] = [];
    expect(parseManifest(source, (why) => reasons.push(why))).toBeUndefined();
    expect(reasons).toEqual([expect.stringContaining(reason)]);
  });

  it('holds no other meaning for a path named __proto__', () => {
    const source = '{"slipway":1,"pending":null,"releases":[],"objects":[["__proto__",1,"s","e","h","r"]]}';
    expect(parseManifest(source, () => undefined)?.objects.get('__proto__')?.size).toBe(1);
  });
});
