import { refFactsOf } from './facts.ts';
import { fixedName, type Judgement, judgementOf, judgeRule } from './judge-rule.ts';
import { toLegalTag } from './legal-tag.ts';
import type { PlannedVariant, RuleOutcome } from './plan.ts';
import type { Rule } from './rules.ts';

/** More refs than this are not compared: each costs a judgement of each rule (15 ms for a thousand). */
export const MAX_COMPARED_REFS = 20_000;

/** A person needs some of them to see what to change. */
const MAX_TOLD = 20;

interface CollisionInputs {
  readonly judgement: Judgement;
  readonly rules: readonly Rule[];
  readonly outcomes: readonly RuleOutcome[];
  readonly variants: readonly PlannedVariant[];
  readonly latestName: string;
}

/**
 * Finds names that two different things would write, one message each.
 *
 * Within the run: two images or variants under one reference, a branch or git tag that is called `latest` or `edge`. Across
 * runs: the same rules, asked for each other known ref, and branches that are called as pull requests are (`pr-2`).
 * Only `type=ref` rules are compared across runs: a name such as `1.2` is meant to be written by many.
 */
export function findCollisions(inputs: CollisionInputs): readonly string[] {
  const found = new Set([
    ...betweenVariants(inputs.variants),
    ...withFixedNames(inputs),
    ...withPullRequests(inputs),
    ...withOtherRefs(inputs),
  ]);
  const told = [...found].slice(0, MAX_TOLD);
  return found.size === told.length ? told : [...told, `and ${found.size - told.length} more`];
}

function betweenVariants(variants: readonly PlannedVariant[]): readonly string[] {
  const owners = new Map<string, string>();
  const messages: string[] = [];
  for (const variant of variants) {
    const owner = [variant.image, variant.variant].filter((part) => part !== '').join(' ') || 'the image';
    for (const reference of new Set(variant.references)) {
      const earlier = owners.get(reference);
      if (earlier === undefined) owners.set(reference, owner);
      else messages.push(`"${reference}" would name both ${earlier} and ${owner}`);
    }
  }
  // One message a pair says enough: each of their tags collides.
  return messages.filter(
    (message, index) => messages.findIndex((other) => pairOf(other) === pairOf(message)) === index,
  );
}

function pairOf(message: string): string {
  return message.slice(message.lastIndexOf('" would name '));
}

/** Tags that `type=ref` rules gave in this run. */
function refTags(outcomes: readonly RuleOutcome[]): readonly string[] {
  return outcomes.flatMap((outcome) => (outcome.kind === 'tag' && outcome.rule.type === 'ref' ? [outcome.tag] : []));
}

/** A branch or git tag that is called as a rule names something else: `latest`, `edge`, `nightly`. */
function withFixedNames({ judgement, outcomes, latestName }: CollisionInputs): readonly string[] {
  const { fullName } = judgement.facts.ref;
  const own = refTags(outcomes);
  const isLatestTaken = judgement.flavor.latest !== 'false' && own.includes(toLegalTag(latestName).tag);
  // A rule that fired in this run, too, names the same thing.
  const taken = outcomes.flatMap(({ kind, rule }) => {
    const name = kind === 'passed' ? fixedName(rule, judgement) : undefined;
    return name !== undefined && own.includes(toLegalTag(name).tag) ? [{ tag: toLegalTag(name).tag, rule }] : [];
  });
  return [
    ...(isLatestTaken ? [`"${toLegalTag(latestName).tag}" would name ${fullName}, and the latest version`] : []),
    ...taken.map(({ tag, rule }) => `"${tag}" would name ${fullName}, and what ${rule.text} names`),
  ];
}

function withPullRequests({ judgement, rules, outcomes }: CollisionInputs): readonly string[] {
  const { ref } = judgement.facts;
  const pullRequestRules = rules.filter((rule) => rule.type === 'ref' && rule.event === 'pr');
  if (ref.pullRequest !== undefined) return [];
  return refTags(outcomes).flatMap((tag) => {
    const numbers = new Set(tag.match(/\d+/g) ?? []);
    const taken = [...numbers].find((candidate) =>
      namesFor(`refs/pull/${candidate}/merge`, pullRequestRules, judgement).includes(tag),
    );
    return taken === undefined ? [] : [`"${tag}" would name ${ref.fullName}, and pull request ${taken}`];
  });
}

function withOtherRefs({ judgement, rules, outcomes, variants }: CollisionInputs): readonly string[] {
  const { facts } = judgement;
  const endings = [...new Set(variants.flatMap((variant) => variant.endings))];
  const own = new Set(refTags(outcomes).flatMap((tag) => endings.map((ending) => `${tag}${ending}`)));
  if (own.size === 0) return [];
  const refRules = rules.filter((rule) => rule.type === 'ref');
  return facts.knownRefs
    .filter((known) => known !== facts.ref.fullName)
    .slice(0, MAX_COMPARED_REFS)
    .flatMap((known) => {
      // A merge queue's branch and its pull request are one thing under two refs.
      const { pullRequest } = refFactsOf(known);
      if (pullRequest !== undefined && pullRequest === facts.ref.pullRequest) return [];
      const theirs = namesFor(known, refRules, judgement).flatMap((tag) => endings.map((ending) => `${tag}${ending}`));
      const shared = theirs.find((tag) => own.has(tag));
      return shared === undefined ? [] : [`"${shared}" would name ${facts.ref.fullName}, and ${known}`];
    });
}

/** What the rules would call another ref. */
function namesFor(fullName: string, rules: readonly Rule[], judgement: Judgement): readonly string[] {
  const other = judgementOf({ ...judgement.facts, ref: refFactsOf(fullName) }, judgement.flavor, judgement.render);
  return rules.flatMap((rule) => {
    const verdict = judgeRule(rule, other);
    return verdict.fires ? [toLegalTag(verdict.name).tag] : [];
  });
}
