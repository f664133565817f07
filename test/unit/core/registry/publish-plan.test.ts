import { describe, expect, test } from 'vitest';
import { reasonToStay } from '../../../../src/core/registry/moving-tag-guard.ts';
import { orderWishes, planTags, type TagWish, tagRank } from '../../../../src/core/registry/publish-plan.ts';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const wish = (tag: string, more: Partial<TagWish> = {}): TagWish => ({
  image: 'app',
  variant: '',
  repository: { registry: 'ghcr.io', name: 'acme/app' },
  tag,
  digest: digest('a'),
  ...more,
});
const RULES = { isImmutable: (tag: string) => /\d\.\d\.\d/.test(tag), guard: () => undefined };

describe('orderWishes', () => {
  test('puts what moves least first and latest last, over all images', () => {
    const worker = { repository: { registry: 'ghcr.io', name: 'acme/worker' } };
    const wishes = ['latest', '1', 'main', '1.2', '1.2.3', 'sha-860c190'].map((tag) => wish(tag));
    const ordered = orderWishes([...wishes, wish('latest-gpu', worker), wish('1.2.3-gpu', worker)]);
    expect(ordered.map(({ tag }) => tag)).toEqual([
      '1.2.3',
      'sha-860c190',
      '1.2.3-gpu',
      '1.2',
      '1',
      'main',
      'latest',
      'latest-gpu',
    ]);
  });

  test('takes a tag once, and refuses one that two digests ask for', () => {
    expect(orderWishes([wish('1'), wish('1')])).toHaveLength(1);
    expect(() => orderWishes([wish('1'), wish('1', { variant: 'gpu', digest: digest('b') })])).toThrow(
      /acme\/app:1 would name two things: app .* and app gpu/,
    );
  });
});

describe('planTags', () => {
  const plan = (tag: string, current: string | undefined, rules = RULES) =>
    planTags([wish(tag)], () => current, rules)[0];
  test.each([
    ['a new tag', '1.2.3', undefined, 'write', ''],
    ['a moving tag', 'latest', digest('b'), 'write', ''],
    ['a tag that is right already', '1.2.3', digest('a'), 'unchanged', 'already'],
    ['an immutable tag of another digest', '1.2.3', digest('b'), 'skip', 'is immutable'],
  ])('decides on %s', (_what, tag, current, action, reason) => {
    const step = plan(tag, current);
    expect(step).toMatchObject({ action, current });
    expect(step?.reason).toContain(reason);
  });

  test('leaves what the guard holds, with its reason', () => {
    expect(plan('latest', digest('b'), { ...RULES, guard: () => 'names version 2' as never })).toMatchObject({
      action: 'skip',
      reason: 'names version 2',
    });
  });
});

describe('tagRank', () => {
  test.each([
    ['1.2.3', 0],
    ['v1.2.3-rc.1', 0],
    ['1.2.3-gpu', 0],
    ['sha-860c190', 0],
    ['860c190aa', 0],
    ['1.2', 1],
    ['v1.2-gpu', 1],
    ['1', 2],
    ['v1-gpu', 2],
    ['main', 3],
    ['pr-12', 3],
    ['nightly', 3],
    ['2', 2],
    ['latest', 4],
    ['latest-gpu', 4],
  ])('of %s is %d', (tag, rank) => {
    expect(tagRank(tag)).toBe(rank);
  });
});

describe('reasonToStay', () => {
  const at = (version?: string, revision = 'a'.repeat(40)) => ({
    revision,
    ...(version === undefined ? {} : { version }),
  });
  test.each([
    ['a higher version', at('1.0.5'), at('2.0.0'), 'ancestor', 'version 2.0.0, which is higher'],
    ['a lower version of a commit that comes after', at('2.0.0'), at('1.0.6'), 'descendant', undefined],
    ['the same version of a commit that comes after', at('2.0.0'), at('2.0.0'), 'descendant', 'comes after'],
    ['a commit that comes after', at(), at(), 'descendant', 'comes after'],
    ['a commit before', at(), at(), 'ancestor', undefined],
    ['another line', at(), at(), 'diverged', undefined],
    ['nobody knows what', {}, {}, 'unknown', undefined],
    ['versions that are none', at('main'), at('next'), 'same', undefined],
  ] as const)('before %s', (_what, published, current, ancestry, expected) => {
    const reason = reasonToStay({ published, current, ancestry });
    if (expected === undefined) expect(reason).toBeUndefined();
    else expect(reason).toContain(expected);
  });
});
