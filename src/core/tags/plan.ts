import { findCollisions, MAX_COMPARED_REFS } from './collisions.ts';
import type { RenderTemplate } from './expressions.ts';
import type { TagFacts } from './facts.ts';
import type { Flavor } from './flavor.ts';
import { type Fired, type Judgement, judgementOf, judgeRule, type Passed, type Verdict } from './judge-rule.ts';
import { decideLatest, type LatestDecision, nameOfLatest } from './latest.ts';
import { latestRefusal, movingTagRefusal } from './latest-guard.ts';
import { isLegalTag, toLegalTag } from './legal-tag.ts';
import type { Rule } from './rules.ts';
import type { NamedVariant } from './variants.ts';

export interface TagInputs {
  readonly rules: readonly Rule[];
  readonly flavor: Flavor;
  readonly variants: readonly NamedVariant[];
  readonly hasImages: boolean;
  readonly latestGuard: boolean;
  readonly render: RenderTemplate;
}

/** What became of one rule. */
export type RuleOutcome =
  | { readonly rule: Rule; readonly kind: 'tag'; readonly tag: string }
  | { readonly rule: Rule; readonly kind: 'repeated'; readonly tag: string }
  | { readonly rule: Rule; readonly kind: 'withheld'; readonly tag: string; readonly reason: string }
  | { readonly rule: Rule; readonly kind: 'passed'; readonly reason: string };

export interface PlannedVariant extends NamedVariant {
  /** Tags without repository, each once and legal. */
  readonly tagNames: readonly string[];
  /** Whole references: each tag in each repository; the tags alone when no images are named. */
  readonly references: readonly string[];
}

export interface TagPlan {
  /** The first tag, which labels and bake definitions take as the version; undefined when no rule fired. */
  readonly version: string | undefined;
  readonly variants: readonly PlannedVariant[];
  readonly tags: readonly string[];
  readonly tagNames: readonly string[];
  /** The tag that will never name anything else; undefined without one. */
  readonly immutableTag: string | undefined;
  readonly outcomes: readonly RuleOutcome[];
  /** Whether `latest` is added by the flavor, and why or why not. */
  readonly latest: LatestDecision;
  readonly notices: readonly string[];
  readonly warnings: readonly string[];
  /** What two writers would both write; an error or a warning, as the user says. */
  readonly collisions: readonly string[];
}

interface NamedTag {
  readonly text: string;
  readonly isImmutable: boolean;
}

/**
 * Decides over all tags of a run. Pure: the same facts and inputs give the same plan.
 *
 * Throws ConfigurationError for a rule that cannot be judged.
 */
export function planTags(facts: TagFacts, inputs: TagInputs): TagPlan {
  const judgement = judgementOf(facts, inputs.flavor, inputs.render);
  const verdicts = inputs.rules.map((rule) => judgeRule(rule, judgement));
  const fired = verdicts.filter((verdict): verdict is Fired => verdict.fires);
  const guard: Guard = {
    isOn: inputs.latestGuard,
    refusal: inputs.latestGuard ? latestRefusal(fired, judgement) : undefined,
    latestName: nameOfLatest(judgement),
    judgement,
  };

  const ruled = nameByRules(verdicts, guard);
  const latest = decideLatest(guard.latestName, inputs.flavor, fired, guard.refusal);
  const named = withLatest(ruled.named, latest.isAdded, guard.latestName);
  const changes: string[] = [];
  const variants = inputs.variants.map((variant) => planVariant(variant, named, inputs.hasImages, changes));

  const ending = variants[0]?.endings[0] ?? '';
  const nameFor = (tag: NamedTag | undefined): string | undefined => tag && toLegalTag(tag.text, ending).tag;
  const tagNames = unique(variants.flatMap((variant) => variant.tagNames));
  return {
    version: nameFor(named[0]),
    variants,
    tags: unique(variants.flatMap(({ references }) => references)),
    tagNames,
    // Rules of versions come before those of commits by their priority.
    immutableTag: tagNames.length === 0 ? undefined : nameFor(named.find(({ isImmutable }) => isImmutable)),
    outcomes: ruled.outcomes,
    latest,
    notices: unique([
      ...ruled.notices,
      ...(latest.isWithheld ? [withheldNotice(latest.name, latest.reason)] : []),
      ...changes,
      ...silenceNotices(variants, inputs.hasImages),
      ...(facts.knownRefs.length > MAX_COMPARED_REFS
        ? [`of ${facts.knownRefs.length} refs only ${MAX_COMPARED_REFS} were compared for collisions`]
        : []),
    ]),
    warnings: verdicts
      .filter((verdict): verdict is Passed => !verdict.fires && verdict.isSuspect)
      .map(({ rule, reason }) => `line ${rule.line} (${rule.text}): ${reason}`),
    collisions: findCollisions({
      judgement,
      rules: inputs.rules,
      outcomes: ruled.outcomes,
      variants,
      latestName: guard.latestName,
    }),
  };
}

interface Guard {
  readonly isOn: boolean;
  /** Why this run may not take `latest`. */
  readonly refusal: string | undefined;
  readonly latestName: string;
  readonly judgement: Judgement;
}

/** The names that rules give, each once, in the rules' order. */
function nameByRules(
  verdicts: readonly Verdict[],
  guard: Guard,
): {
  readonly named: readonly NamedTag[];
  readonly outcomes: readonly RuleOutcome[];
  readonly notices: readonly string[];
} {
  const named = new Map<string, NamedTag>();
  const notices: string[] = [];
  const outcomes = verdicts.map((verdict): RuleOutcome => {
    const { rule } = verdict;
    if (!verdict.fires) return { rule, kind: 'passed', reason: verdict.reason };
    const { tag } = toLegalTag(verdict.name);
    if (tag === '') return { rule, kind: 'passed', reason: `nothing of "${verdict.name}" can stand in a tag` };
    if (named.has(tag)) return { rule, kind: 'repeated', tag };
    const reason = reasonToWithhold(verdict, tag, guard);
    if (reason !== undefined) {
      notices.push(withheldNotice(tag, reason));
      return { rule, kind: 'withheld', tag, reason };
    }
    if (verdict.foreign !== undefined)
      notices.push(`"${verdict.foreign}" holds nothing that a tag may hold: "${tag}" stands for it`);
    named.set(tag, { text: verdict.name, isImmutable: verdict.isImmutable });
    return { rule, kind: 'tag', tag };
  });
  return { named: [...named.values()], outcomes, notices };
}

/** The flavor's latest comes last, and not a second time behind a rule that gave it. */
function withLatest(named: readonly NamedTag[], isAdded: boolean, latestName: string): readonly NamedTag[] {
  const isThere = named.some(({ text }) => toLegalTag(text).tag === toLegalTag(latestName).tag);
  return isAdded && named.length > 0 && !isThere ? [...named, { text: latestName, isImmutable: false }] : named;
}

function withheldNotice(tag: string, reason: string): string {
  return `"${tag}" is left where it is: ${reason}. "latest-guard: false" would write it all the same`;
}

function silenceNotices(variants: readonly PlannedVariant[], hasImages: boolean): readonly string[] {
  if (variants.length === 0) return ['"matrix" has no rows: no tags are made'];
  const isSilenced = hasImages && variants.every(({ repositories }) => repositories.length === 0);
  return isSilenced ? ['every entry of "images" is disabled: no tags are made'] : [];
}

function reasonToWithhold(verdict: Fired, tag: string, guard: Guard): string | undefined {
  if (!guard.isOn) return undefined;
  // Whatever stands around it: `latest-alpine` is the latest of its flavor.
  if ([verdict.value, tag].includes('latest') || tag === toLegalTag(guard.latestName).tag) return guard.refusal;
  return movingTagRefusal(verdict, guard.judgement);
}

function planVariant(
  variant: NamedVariant,
  named: readonly NamedTag[],
  hasImages: boolean,
  notices: string[],
): PlannedVariant {
  const tagNames: string[] = [];
  for (const ending of variant.endings) {
    for (const { text } of named) {
      const { tag, changes } = toLegalTag(text, ending);
      if (!isLegalTag(tag)) throw new Error(`"${text}" became "${tag}", which is no tag`);
      if (changes.length > 0) notices.push(`"${text}" became the tag "${tag}": ${changes.join('; ')}`);
      tagNames.push(tag);
    }
  }
  const names = hasImages && variant.repositories.length === 0 ? [] : unique(tagNames);
  return {
    ...variant,
    tagNames: names,
    references: hasImages
      ? variant.repositories.flatMap((repository) => names.map((tag) => `${repository}:${tag}`))
      : names,
  };
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
