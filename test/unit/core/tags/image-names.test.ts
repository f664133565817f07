import { expect, test } from 'vitest';
import { parseImageNames } from '../../../../src/core/tags/image-names.ts';

const namesOf = (text: string): readonly string[] =>
  parseImageNames(text).map(({ name, isEnabled }) => (isEnabled ? name : `!${name}`));

test.each([
  ['', []],
  ['ghcr.io/Acme/App', ['ghcr.io/acme/app']],
  ['a,b/c\nname=d,enable=false', ['a', 'b/c', '!d']],
  ['localhost:5000/app\n127.0.0.1:5000/x__y/z--w', ['localhost:5000/app', '127.0.0.1:5000/x__y/z--w']],
  ['[::1]:5000/app', ['[::1]:5000/app']],
  ['ghcr.io/acme/{image}', ['ghcr.io/acme/{image}']],
  ['a\nA', ['a']],
  ['name=a,enable=false\na', ['a']],
])('%j is read as %j', (text, expected) => {
  expect(namesOf(text)).toEqual(expected);
});

test.each([
  ['a\nhttps://ghcr.io/a', 'line 2: "https://ghcr.io/a" is no image name: leave out the scheme'],
  ['ghcr.io/a/b:1', 'leave out the tag'],
  [`ghcr.io/a@sha256:${'0'.repeat(64)}`, 'leave out the digest'],
  ['ghcr.io//a', 'a name is made of'],
  ['ghcr.io/a_-b', 'a name is made of'],
  ['{other}', 'a name is made of'],
  ['a'.repeat(256), 'longer than 255'],
  ['name=a,enabel=true', 'did you mean "enable"?'],
  ['name=a,enable=maybe', '"enable" is "maybe"'],
  ['enable=true', 'an image needs a name'],
])('%j is refused', (text, message) => {
  expect(() => parseImageNames(text)).toThrow(message);
});
