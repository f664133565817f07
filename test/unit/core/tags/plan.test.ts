import { expect, test } from 'vitest';
import { createRenderer } from '../../../../src/core/tags/expressions.ts';
import { refFactsOf, type TagFacts } from '../../../../src/core/tags/facts.ts';
import { parseFlavor } from '../../../../src/core/tags/flavor.ts';
import { isLegalTag } from '../../../../src/core/tags/legal-tag.ts';
import { planTags } from '../../../../src/core/tags/plan.ts';
import { parseRules } from '../../../../src/core/tags/rules.ts';
import { namedVariants } from '../../../../src/core/tags/variants.ts';

function factsOf(ref: string, gitTags: readonly string[] = []): TagFacts {
  return {
    eventName: 'push',
    ref: refFactsOf(ref),
    sha: '860c1904a1ce19322e91ac35af1ab07466440c37',
    shortShaLength: 7,
    isPrerelease: false,
    baseRef: '',
    repository: { name: 'app', description: '', url: '', license: '', defaultBranch: 'main' },
    now: new Date('2026-11-20T00:00:00Z'),
    commitDate: new Date('2026-11-19T00:00:00Z'),
    gitTags,
    knownRefs: [],
  };
}

/** Numbers below a bound, the same in every run (Park and Miller's generator). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

const RULES = [
  'type=ref,event=branch',
  'type=ref,event=tag',
  'type=ref,event=pr',
  'type=sha',
  'type=raw,value={{branch}}{{tag}}',
  'type=semver,pattern={{version}}',
  'type=semver,pattern=v{{major}}.{{minor}}',
  'type=pep440,pattern={{major}}',
  'type=match,pattern=.+',
  'type=raw,value=latest',
  'type=edge',
  'type=ref,event=branch,prefix=-,suffix=.',
];
const FLAVORS = ['', 'latest=true', 'prefix={{branch}}-,onlatest=true', 'suffix=+{{sha}}', 'latest=false'];
const SIGNS = ['a', '1', '.', '-', '/', '+', 'v', '日', ' ', '"', '&', '_', '\u{1f600}'];

test('whatever the ref and the rules: every tag is legal, none is there twice, and no version goes back', async () => {
  const next = random(20261120);
  const pick = <Value>(list: readonly Value[]): Value =>
    list[next(list.length)] ??
    (() => {
      throw new Error('an empty list');
    })();
  for (let round = 0; round < 2000; round += 1) {
    const kind = pick(['refs/heads/', 'refs/tags/', 'refs/tags/v1.', 'refs/pull/', '']);
    const ref = `${kind}${Array.from({ length: next(3) === 0 ? next(200) : next(12) }, () => pick(SIGNS)).join('')}`;
    const rules = parseRules(Array.from({ length: 1 + next(6) }, () => pick(RULES)).join('\n'));
    const flavor = parseFlavor(pick(FLAVORS));
    const render = await createRenderer([], () => undefined);
    const variants = namedVariants({
      images: [{ name: 'ghcr.io/acme/app', isEnabled: true }],
      rows: undefined,
      variant: pick(['', 'gpu']),
      defaultVariant: pick(['', 'gpu']),
    });
    const plan = planTags(factsOf(ref, ['v1.0.0', 'v9.0.0']), {
      rules,
      flavor,
      variants,
      hasImages: true,
      latestGuard: true,
      render,
    });
    const shown = JSON.stringify({ ref, rules: rules.map(({ text }) => text) });
    expect(new Set(plan.tags).size, shown).toBe(plan.tags.length);
    expect(
      plan.tagNames.filter((tag) => !isLegalTag(tag)),
      shown,
    ).toEqual([]);
    expect(plan.outcomes, shown).toHaveLength(rules.length);
    if (plan.tagNames.length > 0) expect(plan.tagNames, shown).toContain(plan.version);
    if (/^refs\/tags\/v1\.\d+\.\d+$/.test(ref)) expect(plan.tagNames, shown).not.toContain('latest');
  }
});

test('five thousand git tags and refs are looked through in less than two seconds', async () => {
  const tags = Array.from({ length: 5000 }, (_, index) => `v${index % 50}.${Math.floor(index / 50)}.0`);
  const facts = { ...factsOf('refs/tags/v3.4.0', tags), knownRefs: tags.map((tag) => `refs/tags/${tag}`) };
  const rules = parseRules(
    'type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}}\ntype=ref,event=tag',
  );
  const inputs = {
    rules,
    flavor: parseFlavor(''),
    variants: namedVariants({ images: [], rows: undefined, variant: '', defaultVariant: '' }),
    hasImages: false,
    latestGuard: true,
    render: await createRenderer([], () => undefined),
  };
  const start = performance.now();
  expect(planTags(facts, inputs).tags).toEqual(['3.4.0', '3.4', 'v3.4.0']);
  expect(performance.now() - start).toBeLessThan(2000);
});
