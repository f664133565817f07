import { code, codeBlock, details, plain, table } from '../../core/report/markdown.ts';
import type { PlannedVariant, RuleOutcome, TagPlan } from '../../core/tags/plan.ts';
import type { Metadata } from './plan-metadata.ts';

/** The job summary: which rule made each tag and why the other rules made none, then all references, rules and labels. */
export function summarize({ plan, rules, hasDefaultRules, facts, labels }: Metadata): string {
  const about = facts.ref.fullName === '' ? '' : ` for ${code(facts.ref.fullName)}`;
  return [
    `## Tags${about}`,
    ...plan.collisions.map((collision) => `> [!CAUTION]\n> ${plain(collision)}`),
    ruleTable(plan),
    ...(plan.notices.length === 0 ? [] : [plan.notices.map((notice) => `- ${plain(notice)}`).join('\n')]),
    `### References\n\n${references(plan.variants)}`,
    ...(hasDefaultRules
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

function ruleTable({ outcomes, latest }: TagPlan): string {
  return table(
    ['tag', 'rule', 'why not'],
    [
      ...outcomes.map(outcomeRow),
      latest.isAdded
        ? [code(latest.name), plain(`flavor: ${latest.reason}`), '']
        : [struck(latest.isWithheld ? latest.name : ''), 'flavor', plain(latest.reason)],
    ],
  );
}

function outcomeRow(outcome: RuleOutcome): readonly string[] {
  const rule = code(outcome.rule.text);
  switch (outcome.kind) {
    case 'tag':
      return [code(outcome.tag), rule, ''];
    case 'repeated':
      return [struck(outcome.tag), rule, 'made by a rule above'];
    case 'withheld':
      return [struck(outcome.tag), rule, plain(outcome.reason)];
    case 'passed':
      return ['', rule, plain(outcome.reason)];
  }
}

function struck(tag: string): string {
  return tag === '' ? '' : `<del>${code(tag)}</del>`;
}
