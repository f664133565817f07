import { code, codeBlock, details, plain, table } from '../../core/report/markdown.ts';
import type { TagFacts } from '../../core/tags/facts.ts';
import type { Labels } from '../../core/tags/labels.ts';
import type { PlannedVariant, RuleOutcome, TagPlan } from '../../core/tags/plan.ts';
import type { Rule } from '../../core/tags/rules.ts';

interface SummaryInputs {
  readonly rules: readonly Rule[];
  /** True when the user gave no rules. */
  readonly isDefault: boolean;
  readonly facts: TagFacts;
  readonly labels: Labels;
}

/** The job summary: the references, which rule made each tag, and why the other rules made none. */
export function summarize(plan: TagPlan, { rules, isDefault, facts, labels }: SummaryInputs): string {
  const about = facts.ref.fullName === '' ? '' : ` for ${code(facts.ref.fullName)}`;
  return [
    `## Tags${about}`,
    references(plan.variants),
    table(
      ['rule', 'tag', ''],
      [
        ...plan.outcomes.map(outcomeRow),
        ['flavor', plan.latest.isAdded ? code('latest') : '', plain(plan.latest.reason)],
      ],
    ),
    ...plan.collisions.map((collision) => `**Collision:** ${plain(collision)}`),
    ...plan.notices.map((notice) => `- ${plain(notice)}`),
    ...(isDefault
      ? [details('No "tags" were given; these rules hold', codeBlock(rules.map(({ text }) => text).join('\n')))]
      : []),
    details(
      `${labels.size} labels`,
      table(
        ['label', 'value'],
        [...labels].map(([key, value]) => [code(key), plain(value)]),
      ),
    ),
  ].join('\n\n');
}

function references(variants: readonly PlannedVariant[]): string {
  const rows = variants.map(({ image, variant, references: list }) => [
    plain([image, variant].filter((part) => part !== '').join(' ')),
    list.map(code).join('\n') || 'none',
  ]);
  return rows.length === 1 ? (rows[0]?.[1] ?? '').replaceAll('\n', '<br>') : table(['image', 'references'], rows);
}

function outcomeRow(outcome: RuleOutcome): readonly string[] {
  const rule = code(outcome.rule.text);
  switch (outcome.kind) {
    case 'tag':
      return [rule, code(outcome.tag), ''];
    case 'repeated':
      return [rule, code(outcome.tag), 'made by a rule above'];
    case 'withheld':
      return [rule, `<del>${code(outcome.tag)}</del>`, plain(outcome.reason)];
    case 'passed':
      return [rule, '', plain(outcome.reason)];
  }
}
