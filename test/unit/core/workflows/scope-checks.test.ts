import { expect, it } from 'vitest';
import { checkCacheScopes } from '../../../../src/core/workflows/scope-checks.ts';
import { readWorkflows } from '../../../../src/core/workflows/workflow-file.ts';
import { snapshotOf } from '../images/memory-snapshot.ts';

const step = (inputs: string, action = 'docker/build-push-action@v6') =>
  `      - { uses: ${action}, with: { ${inputs} } }\n`;

async function check(...steps: readonly string[]): Promise<readonly string[]> {
  const text = `on: push\njobs:\n  a:\n    steps:\n${steps.join('')}`;
  const workflows = await readWorkflows(snapshotOf({ '.github/workflows/w.yml': text }));
  return checkCacheScopes(workflows).map(({ message, line }) => `${line} ${message.split(':')[0]}`);
}

it.each<[string, string[], string[]]>([
  [
    'two Dockerfiles under one name',
    [
      step('file: a/Dockerfile, cache-to: "type=gha,scope=x"'),
      step('file: b/Dockerfile, cache-to: "type=gha,mode=max,scope=x"'),
    ],
    ['6 the cache scope "x" of "b/Dockerfile" is also that of "a/Dockerfile" (.github/workflows/w.yml'],
  ],
  [
    'two contexts under the scope that nobody named',
    [step('context: a, cache-to: type=gha'), step('context: b, cache-to: "type=gha,mode=max"')],
    ['6 the cache scope "buildkit" of "b/Dockerfile" is also that of "a/Dockerfile" (.github/workflows/w.yml'],
  ],
  [
    'two stages under one name',
    [step('context: a, target: x, cache-to: type=gha'), step('context: a, target: y, cache-to: type=gha')],
    ['6 the cache scope "buildkit" of "a/Dockerfile" is also that of "a/Dockerfile" (.github/workflows/w.yml'],
  ],
  [
    'a matrix under one fixed name',
    [step('file: "${{ matrix.dockerfile }}", cache-to: "type=gha,scope=all"')],
    ['5 every row of this matrix writes the cache scope "all"'],
  ],
  [
    'rows of ours under one fixed name',
    [step('image: "${{ toJSON(matrix) }}", cache-scope: all', 'acme/slipway/actions/multistage-build@v1')],
    ['5 every row of this matrix writes the cache scope "all"'],
  ],
  ['one Dockerfile twice', [step('file: ./D, cache-to: type=gha'), step('file: D, cache-to: type=gha')], []],
  ['names with expressions', [step('file: "${{ matrix.f }}", cache-to: "type=gha,scope=${{ matrix.f }}"')], []],
  ['reading alone', [step('file: a, cache-from: type=gha'), step('file: b, cache-from: type=gha')], []],
  [
    'other caches',
    [step('file: a, cache-to: "type=registry,ref=x"'), step('file: b, cache-to: "type=registry,ref=x"')],
    [],
  ],
])('%s', async (_, steps, expected) => {
  expect(await check(...steps)).toEqual(expected);
});
