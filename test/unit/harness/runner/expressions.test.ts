import { describe, expect, it } from 'vitest';
import {
  evaluate,
  evaluateCondition,
  interpolate,
  resolveTemplate,
  type Status,
  statusFunctionsFor,
} from '../../../harness/runner/expressions.ts';

const contexts = {
  github: { ref: 'refs/heads/main', event: { commits: [{ id: 'a' }, { id: 'b' }] } },
  needs: { plan: { outputs: { matrix: '{"include":[{"name":"api","gpu":false}]}' } } },
  matrix: { name: 'api', count: 2 },
  empty: {},
};
const scope = (status: Status = 'success') => ({ contexts, functions: statusFunctionsFor(status) });

describe('evaluate', () => {
  it.each([
    ["github.ref == 'REFS/HEADS/MAIN'", true],
    ['fromJSON(needs.plan.outputs.matrix)', { include: [{ name: 'api', gpu: false }] }],
    ["join(github.event.commits.*.id, '+')", 'a+b'],
    ["format('{0}-{1}', matrix.name, matrix.count)", 'api-2'],
    ['fromJSON(\'{"constructor":{"__proto__":1}}\').constructor', JSON.parse('{"__proto__":1}')],
    ["'it''s ''quoted'' twice'", "it's 'quoted' twice"],
    ['empty.nothing.at.all', null],
    ["empty.nothing || 'fallback'", 'fallback'],
    ['needs.none.outputs.x == null', true],
    ['contains(fromJSON(\'["a","b"]\'), \'b\')', true],
    ["startsWith(github.ref, 'refs/heads/') && !endsWith(github.ref, 'dev')", true],
    ['matrix.count > 1', true],
    ['toJSON(matrix)', '{\n  "name": "api",\n  "count": 2\n}'],
  ])('%s', (expression, expected) => {
    expect(evaluate(expression, scope())).toEqual(expected);
  });

  it.each([
    ['unknown.thing', 'Unrecognized named-value'],
    ['nothing()', 'Unrecognized function'],
    ["fromJSON('{')", 'Error parsing JSON'],
    ['"double"', 'Unexpected symbol'],
    ['1 +', 'Unexpected symbol'],
  ])('refuses %s and quotes it', (expression, message) => {
    expect(() => evaluate(expression, scope())).toThrow(message);
    expect(() => evaluate(expression, scope())).toThrow(expression);
  });
});

describe('templates', () => {
  it.each([
    ['plain', 'plain'],
    ['a ${{ matrix.name }} b ${{ matrix.count }}', 'a api b 2'],
    ["${{ '}}' }}", '}}'],
    ['${{ empty.nothing }}', ''],
    ['${{ matrix.count == 2 }}', 'true'],
  ])('interpolates %s', (text, expected) => {
    expect(interpolate(text, scope())).toBe(expected);
  });

  it('refuses an expression that is not closed', () => {
    expect(() => interpolate('a ${{ matrix.name', scope())).toThrow('not closed');
  });

  it('keeps the type of a value that is one expression', () => {
    const value = { a: ['${{ matrix.count }}', 'x${{ matrix.count }}'], '${{ matrix.name }}': true };
    expect(resolveTemplate(value, scope())).toEqual({ a: [2, 'x2'], api: true });
  });
});

describe('evaluateCondition', () => {
  it.each([
    [undefined, 'success', true],
    [undefined, 'failure', false],
    ['true', 'failure', false],
    ['always()', 'cancelled', true],
    ['failure()', 'failure', true],
    ['failure()', 'success', false],
    ['cancelled()', 'cancelled', true],
    ['!cancelled()', 'failure', true],
    ["matrix.name == 'api'", 'success', true],
    ["matrix.name == 'api'", 'failure', false],
    ["${{ failure() && matrix.name == 'api' }}", 'failure', true],
    [false, 'success', false],
    ["'success()'", 'failure', false],
    ['empty.nothing', 'success', false],
    // GitHub's trap: text around an expression is a non-empty string.
    ["${{ matrix.name }} == 'other'", 'success', true],
  ] as const)('%s after %s is %s', (condition, status, expected) => {
    expect(evaluateCondition(condition, scope(status))).toBe(expected);
  });
});
