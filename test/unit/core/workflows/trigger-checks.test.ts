import { describe, expect, it } from 'vitest';
import { checkTagRules, checkTriggerBranches } from '../../../../src/core/workflows/trigger-checks.ts';
import { readsOutput, readWorkflows } from '../../../../src/core/workflows/workflow-file.ts';
import { snapshotOf } from '../images/memory-snapshot.ts';

const FILE = '.github/workflows/w.yml';

async function read(on: string, tags: string, action = 'docker/metadata-action@v5') {
  const text = `on: ${on}\njobs: { a: { steps: [{ uses: ${action}, with: { tags: "${tags}" } }] } }\n`;
  return readWorkflows(snapshotOf({ [FILE]: text }));
}

const check = async (on: string, tags: string, action?: string) =>
  (await read(on, tags, action)).flatMap(checkTagRules).map(({ level, message }) => `${level} ${message}`);

describe('tag rules', () => {
  it.each<[string, string, string | undefined]>([
    ['push', 'type=schedule', 'problem "type=schedule" can never fire: no "schedule" starts this workflow'],
    ['{ schedule: [{ cron: 0 0 * * * }] }', 'type=schedule', undefined],
    ['push', 'type=semver,pattern=v', undefined],
    [
      '{ push: { branches: [main] } }',
      'type=semver,pattern=v',
      'problem "type=semver,pattern=v" can never fire: no push of a tag and no release starts this workflow',
    ],
    ['{ push: { branches: [main], tags: [v*] } }', 'type=semver,pattern=v', undefined],
    ['{ push: { branches: [main] }, release: }', 'type=ref,event=tag', undefined],
    ['{ push: { branches: [main] } }', 'type=semver,pattern=v,value=1.2.3', undefined],
    [
      '[push, workflow_dispatch]',
      'type=ref,event=pr',
      'problem "type=ref,event=pr" can never fire: no "pull_request" starts this workflow',
    ],
    ['pull_request', 'type=ref,event=pr', undefined],
    ['pull_request', 'type=edge', 'problem "type=edge" can never fire: nothing on a branch starts this workflow'],
    [
      '{ push: { tags: [v*] } }',
      'type=ref,event=branch',
      'problem "type=ref,event=branch" can never fire: nothing on a branch starts this workflow',
    ],
    [
      'workflow_dispatch',
      'type=pep440,pattern=v',
      'notice "type=pep440,pattern=v" fires only when this workflow is started by hand on a tag: no push of a tag and no release starts this workflow',
    ],
    ['workflow_call', 'type=schedule', undefined],
    ['push', 'type=sha', undefined],
    ['push', 'no rule=at all,type=none', undefined],
  ])('on: %s, %s', async (on, tags, expected) => {
    expect(await check(on, tags)).toEqual(expected === undefined ? [] : [expected]);
  });

  it('are read of our own action, too, and of no other', async () => {
    expect(await check('push', 'type=schedule', 'acme/slipway/actions/metadata-tags@v1')).toHaveLength(1);
    expect(await check('push', 'type=schedule', 'acme/other-action@v1')).toEqual([]);
  });
});

describe('trigger branches', () => {
  const on = '{ push: { branches: [main, develop, "release/**"] }, pull_request: { branches: [develop] } }';

  it('that do not exist are named; globs are not asked for', async () => {
    const asked: string[][] = [];
    const findings = await checkTriggerBranches(await read(on, ''), async (branches) => {
      asked.push([...branches]);
      return new Set(['develop']);
    });
    expect(asked).toEqual([['main', 'develop']]);
    expect(findings.map(({ message }) => message)).toEqual([
      '"push" waits for the branch "develop", which does not exist',
      '"pull_request" waits for the branch "develop", which does not exist',
    ]);
  });

  it('are left alone where the repository cannot be asked', async () => {
    expect(await checkTriggerBranches(await read(on, ''), async () => undefined)).toEqual([]);
  });
});

describe('workflows', () => {
  it.each([
    ['no YAML', 'on: [push\nuses: docker/metadata-action'],
    ['no mapping', '- uses: docker/metadata-action@v5\n'],
    ['nothing about images', 'on: push\njobs: {}\n'],
  ])('that are %s are passed over', async (_, text) => {
    const found = await readWorkflows(snapshotOf({ [FILE]: text }));
    expect(found.flatMap(({ steps }) => steps)).toEqual([]);
  });

  it('tell whether one reads an output', async () => {
    const snapshot = snapshotOf({ [FILE]: 'x: ${{ steps.plan.outputs.shards }}\n', 'other.yml': 'outputs.waves' });
    expect(await readsOutput(snapshot, 'shards')).toBe(true);
    expect(await readsOutput(snapshot, 'waves')).toBe(false);
  });
});
