import { expect, test } from 'vitest';
import { formatCommand } from '../../../../src/core/runner/commands.ts';
import { createLog } from '../../../../src/core/runner/log.ts';

function recorded(debug = false) {
  const lines: string[] = [];
  return { log: createLog((line) => lines.push(line), { debug }), lines };
}

test('a command escapes all that could end it or start another', () => {
  expect(
    formatCommand('error', { file: 'a,b:c%\n.yml', line: 3, title: undefined }, '100%\r\n::set-output name=x::y'),
  ).toBe('::error file=a%2Cb%3Ac%25%0A.yml,line=3::100%25%0D%0A::set-output name=x::y');
});

test('text from outside cannot become a command', () => {
  const { log, lines } = recorded();
  log.info('::add-mask::x\n  ::error::fake\n##[group]fake\nfine ::here::');
  const said = lines.join('\n').split('\n');
  expect(said.every((line) => !/^\s*(?:::|##\[)/.test(line))).toBe(true);
  expect(said[3]).toBe('fine ::here::');
});

test('beyond ten annotations of a level the rest is plain text that keeps its place', () => {
  const { log, lines } = recorded();
  for (let index = 1; index <= 12; index += 1)
    log.warning({ message: `number ${index}`, file: 'Dockerfile', line: index });
  log.error('one error');
  expect(lines.filter((line) => line.startsWith('::warning'))).toHaveLength(10);
  expect(lines.slice(10)).toEqual([
    'warning: Dockerfile:11: number 11',
    'warning: Dockerfile:12: number 12',
    '::error::one error',
  ]);
});

test('a secret of several lines is masked whole and line by line', () => {
  const { log, lines } = recorded();
  log.mask('-----BEGIN\nabc\n\n-----END');
  expect(lines).toEqual([
    '::add-mask::-----BEGIN%0Aabc%0A%0A-----END',
    '::add-mask::-----BEGIN',
    '::add-mask::abc',
    '::add-mask::-----END',
  ]);
});

test('a group is closed also when its body throws', async () => {
  const { log, lines } = recorded();
  await expect(log.group('build', async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(lines).toEqual(['::group::build', '::endgroup::']);
});

test.each([
  [true, ['::debug::detail']],
  [false, []],
])('debug lines with debug logging %s', (debug, expected) => {
  const { log, lines } = recorded(debug);
  log.debug('detail');
  expect(lines).toEqual(expected);
});
