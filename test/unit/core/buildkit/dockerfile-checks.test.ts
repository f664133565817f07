import { describe, expect, it } from 'vitest';
import { parseCheckAnswer } from '../../../../src/core/buildkit/dockerfile-checks.ts';

/** As `docker buildx bake --call check,format=json` of buildx 0.29 answers. */
const warning = {
  ruleName: 'UndefinedVar',
  description: 'Variables should be defined before their use',
  url: 'https://docs.docker.com/go/dockerfile/rule/undefined-var/',
  detail: "Usage of undefined variable '$MISSING'",
  location: { ranges: [{ start: { line: 2 }, end: { line: 3 } }] },
};
const answer = (check: unknown): string => JSON.stringify({ target: { web: { check } } });

describe('the answer of BuildKit’s checks', () => {
  it('tells of each finding its target, rule, text, address and line', () => {
    expect(parseCheckAnswer(answer({ warnings: [warning] }))).toEqual([
      {
        target: 'web',
        rule: 'UndefinedVar',
        message: "Usage of undefined variable '$MISSING'",
        url: 'https://docs.docker.com/go/dockerfile/rule/undefined-var/',
        line: 2,
      },
    ]);
  });

  it.each([
    ['without details by the rule’s description', { ...warning, detail: '' }, { message: warning.description }],
    ['without a place', { ...warning, location: undefined }, { line: undefined }],
    ['without a rule', { detail: 'x' }, { rule: 'Check', message: 'x', url: undefined }],
    ['that is no object', 'x', { rule: 'Check', message: '' }],
  ])('takes a finding %s', (_, given, expected) => {
    expect(parseCheckAnswer(answer({ warnings: [given] }))).toEqual([expect.objectContaining(expected)]);
  });

  it.each(['{}', '{"target":[]}', '{"target":{"web":null}}', answer({}), answer({ warnings: {} })])(
    'of %s tells of nothing',
    (text) => {
      expect(parseCheckAnswer(text)).toEqual([]);
    },
  );

  it('is bounded', () => {
    expect(parseCheckAnswer(answer({ warnings: Array(2_000).fill(warning) }))).toHaveLength(1_000);
  });
});
