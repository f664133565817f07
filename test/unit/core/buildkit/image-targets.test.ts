import { describe, expect, it } from 'vitest';
import { dockerfileFrom, nameRows, rowPaths, rowTarget } from '../../../../src/core/buildkit/image-targets.ts';
import { parseRows } from '../../../../src/core/images/row.ts';

const rows = parseRows(
  JSON.stringify([
    { image: 'base', context: 'base', dockerfile: 'base/Dockerfile' },
    {
      image: 'web',
      context: '.',
      dockerfile: 'docker/web.Dockerfile',
      target: 'run',
      args: { A: '1' },
      contexts: { base: 'row:base-linux-amd64', python: 'docker-image://python:3', lib: 'lib' },
    },
  ]),
);
const [base, web] = rows;
if (base === undefined || web === undefined) throw new Error('two rows');

describe('a row’s target', () => {
  it('says what the row says, with the Dockerfile relative to the context', () => {
    expect(rowTarget(web, rows)).toEqual({
      context: '.',
      dockerfile: 'docker/web.Dockerfile',
      target: 'run',
      args: { A: '1' },
      contexts: { base: 'target:base-linux-amd64', python: 'docker-image://python:3', lib: 'lib' },
      platforms: ['linux/amd64'],
    });
    expect(rowTarget(base, rows).dockerfile).toBe('Dockerfile');
  });

  it('says what else the row says of the build; a Dockerfile in the row takes the place of the file', () => {
    const build = { 'dockerfile-inline': 'FROM scratch\n', labels: { a: 'b' }, network: 'none' };
    expect(rowTarget({ ...base, build }, rows)).toEqual({ ...build, context: 'base', platforms: ['linux/amd64'] });
  });

  it('needs the rows it is built from', () => {
    expect(() => rowTarget(web, [web])).toThrow('"web-linux-amd64" is built from row "base-linux-amd64"');
  });

  it('reads the paths that must stay in the repository', () => {
    expect(rowPaths(web)).toEqual(['.', 'lib', 'docker/web.Dockerfile']);
  });

  it.each([
    ['app', 'docker/Dockerfile', '../docker/Dockerfile'],
    ['./app/', './app/Dockerfile', 'Dockerfile'],
    ['https://github.com/a/b.git#c', 'docker/Dockerfile', 'docker/Dockerfile'],
    ['app', '/abs/Dockerfile', '/abs/Dockerfile'],
  ])('of context %s has the Dockerfile %s as %s', (context, dockerfile, expected) => {
    expect(dockerfileFrom(context, dockerfile)).toBe(expected);
  });

  it('is refused where two rows would have one name', () => {
    expect(() => nameRows(parseRows('[{"image":"a","id":"a.b"},{"image":"a","id":"a_b"}]'))).toThrow(
      'cannot be told apart',
    );
  });
});
