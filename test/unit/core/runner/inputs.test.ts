import { describe, expect, expectTypeOf, test } from 'vitest';
import { boolean, choice, defineContract, list, parsed, secret, text } from '../../../../src/core/runner/contract.ts';
import { ConfigurationError } from '../../../../src/core/runner/errors.ts';
import { readInputs } from '../../../../src/core/runner/inputs.ts';
import { createLog } from '../../../../src/core/runner/log.ts';

const contract = defineContract({
  name: 'example',
  title: 'Example',
  description: 'An example.',
  branding: { icon: 'tag', color: 'blue' },
  post: false,
  inputs: {
    bucket: text({ description: 'The bucket.', required: true }),
    region: text({ description: 'The region.', default: 'us-east-1' }),
    prefix: text({ description: 'A prefix.' }),
    'github-token': secret({ description: 'A token.', default: '${{ github.token }}' }),
    push: boolean({ description: 'Whether to push.', default: true }),
    cache: choice(['gha', 'off'], { description: 'The cache.', default: 'gha' }),
    tags: list({ description: 'Tags.' }),
    row: parsed(
      (given) => {
        if (!given.startsWith('{')) throw new ConfigurationError('this is no JSON', { file: 'a.json', line: 2 });
        return given.length;
      },
      { description: 'A row.' },
    ),
    'old-name': text({ description: 'Old.', deprecation: 'use "region"' }),
  },
  outputs: {},
});

function read(environment: Record<string, string>) {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), { debug: false });
  return { inputs: () => readInputs(contract, environment, log), lines };
}

test('values come typed, under their camel-case names, with defaults for what is absent or empty', () => {
  const inputs = read({ INPUT_BUCKET: ' site ', INPUT_PUSH: '', 'INPUT_GITHUB-TOKEN': 'abc' }).inputs();
  expect(inputs).toEqual({
    bucket: 'site',
    region: 'us-east-1',
    prefix: undefined,
    githubToken: 'abc',
    push: true,
    cache: 'gha',
    tags: [],
    row: undefined,
    oldName: undefined,
  });
  expectTypeOf(inputs.bucket).toEqualTypeOf<string>();
  expectTypeOf(inputs.prefix).toEqualTypeOf<string | undefined>();
  expectTypeOf(inputs.cache).toEqualTypeOf<'gha' | 'off'>();
  expectTypeOf(inputs.tags).toEqualTypeOf<readonly string[]>();
  expect(Object.isFrozen(inputs)).toBe(true);
});

test('a default that is an expression of GitHub is no value where nobody evaluated it', () => {
  expect(read({ INPUT_BUCKET: 'x' }).inputs().githubToken).toBe('');
});

test('a secret is masked before anything is said of any input, also when the inputs are refused', () => {
  const { inputs, lines } = read({ 'INPUT_GITHUB-TOKEN': 'sesame', INPUT_NONSENSE: '1' });
  expect(inputs).toThrow();
  expect(lines[0]).toBe('::add-mask::sesame');
});

describe('what is wrong is named', () => {
  test.each([
    [{}, 'input "bucket" is required: The bucket.'],
    [{ INPUT_BUCKET: 'x', INPUT_PUSH: 'yes' }, 'input "push": "yes" is neither true nor false'],
    [{ INPUT_BUCKET: 'x', INPUT_CACHE: 'of' }, 'input "cache": "of" is none of gha, off; did you mean off?'],
    [
      { INPUT_PUSH: 'maybe' },
      'input "bucket" is required: The bucket.; input "push": "maybe" is neither true nor false',
    ],
  ])('%j', (environment, message) => {
    expect(read(environment).inputs).toThrow(new ConfigurationError(message));
  });

  test('and keeps the place in the file that its parser found', () => {
    try {
      read({ INPUT_BUCKET: 'x', INPUT_ROW: 'nope' }).inputs();
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ message: 'input "row": this is no JSON', place: { file: 'a.json', line: 2 } });
    }
  });
});

test('an input that the action does not know is warned of, with the nearest name', () => {
  const { inputs, lines } = read({ INPUT_BUCKET: 'x', INPUT_PUSCH: 'false', 'INPUT_GITHUB-TOKNE': '', INPUT_QQ: '1' });
  inputs();
  expect(lines).toEqual([
    '::warning::input "pusch" is not known to example and does nothing; did you mean "push"?',
    '::warning::input "qq" is not known to example and does nothing',
  ]);
});

test('a deprecated input still works and says what to use', () => {
  const { inputs, lines } = read({ INPUT_BUCKET: 'x', 'INPUT_OLD-NAME': 'v' });
  expect(inputs().oldName).toBe('v');
  expect(lines).toEqual(['::warning::input "old-name" is deprecated: use "region"']);
});
