import { defaultRules } from '../../core/tags/default-rules.ts';
import { createRenderer } from '../../core/tags/expressions.ts';
import type { TagFacts } from '../../core/tags/facts.ts';
import { type FactSources, gatherFacts } from '../../core/tags/gather-facts.ts';
import { canFire } from '../../core/tags/judge-rule.ts';
import { annotationEntries, type Labels, planLabels } from '../../core/tags/labels.ts';
import { planTags, type TagPlan } from '../../core/tags/plan.ts';
import { parseRules, type Rule } from '../../core/tags/rules.ts';
import { viewOf } from '../../core/tags/template-view.ts';
import { inInput, type Settings, templatesOf } from './settings.ts';

/** All that leaves the action, decided and not yet written anywhere. */
export interface Metadata {
  readonly facts: TagFacts;
  readonly rules: readonly Rule[];
  /** True when the user gave no rules, and the suite's own hold. */
  readonly hasDefaultRules: boolean;
  readonly plan: TagPlan;
  readonly labels: Labels;
  /** `level:key=value`. */
  readonly annotations: readonly string[];
}

/**
 * Decides over tags, labels and annotations. What the world knows comes from `sources`; nothing is written but remarks
 * to their log. Throws ConfigurationError that names the input.
 */
export async function planMetadata(settings: Settings, sources: FactSources): Promise<Metadata> {
  const { log } = sources;
  const facts = await gatherFacts({ ...settings, templates: templatesOf(settings, settings.rules ?? []) }, sources);
  const rules = settings.rules ?? parseRules(defaultRules(facts));
  const told = new Set<string>();
  const render = await createRenderer(
    templatesOf(settings, rules, (rule) => canFire(rule, facts)),
    (name, near) => {
      if (told.has(name)) return;
      told.add(name);
      const hint = near === undefined ? '' : `; did you mean {{${near}}}?`;
      log.warning(`{{${name}}} is not known and stands for nothing${hint}`);
    },
  );
  // An error in the flavor's own texts is told as the flavor's, not as that of the first rule that they surround.
  inInput('flavor', () => {
    for (const template of [settings.flavor.prefix, settings.flavor.suffix]) render(template, viewOf(facts));
  });
  const plan = inInput('tags', () => planTags(facts, { ...settings, rules, render }));

  const labels = inInput('labels', () => planLabels(facts, plan.version, settings.labels, render));
  const annotations = inInput('annotations', () => planLabels(facts, plan.version, settings.annotations, render));
  for (const warning of labels.warnings) log.warning(`input "labels": ${warning}`);
  for (const warning of annotations.warnings) log.warning(`input "annotations": ${warning}`);
  return {
    facts,
    rules,
    hasDefaultRules: settings.rules === undefined,
    plan,
    labels: labels.labels,
    annotations: annotationEntries(annotations.labels, settings.annotationLevels),
  };
}
