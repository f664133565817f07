import { expect, test } from 'vitest';
import { parseSmokeTest } from '../../../../src/core/buildkit/smoke-test.ts';

test.each([
  ['healthcheck', { kind: 'healthcheck' }],
  ['port 8080', { kind: 'port', port: 8080, path: undefined }],
  ['port 80 /health', { kind: 'port', port: 80, path: '/health' }],
  [
    `python -c "import torch; print(1)" 'a b'`,
    { kind: 'command', words: ['python', '-c', 'import torch; print(1)', 'a b'] },
  ],
])('the smoke test %s is %j', (text, expected) => {
  expect(parseSmokeTest(text)).toEqual(expected);
});

test.each([['port 99999'], ['sh -c "open'], ['""']])('%s is no smoke test', (text) => {
  expect(() => parseSmokeTest(text)).toThrow();
});
