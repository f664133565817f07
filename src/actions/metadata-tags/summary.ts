import { alert, code, codeBlock, counted, details, plain, table } from '../../core/report/markdown.ts';
import type { RuleOutcome, TagPlan } from '../../core/tags/plan.ts';
import type { Metadata } from './plan-metadata.ts';

/** The job summary: the tags of each repository, then which rule made each and why the other rules made none. */
export function summarize({ plan, rules, hasDefaultRules, facts, labels }: Metadata): string {
  const about = facts.ref.fullName === '' ? '' : ` for ${code(facts.ref.fullName)}`;
  const count = plan.tagNames.length;
  const ruleParts = [
    ruleTable(plan),
    ...(hasDefaultRules
      ? [`No "tags" were given; these rules hold:\n\n${codeBlock(rules.map(({ text }) => text).join('\n'))}`]
      : []),
  ].join('\n\n');
  return [
    `## ${count === 0 ? 'No tags' : counted(count, 'tag')}${about}`,
    ...plan.collisions.map((collision) => alert('caution', plain(collision))),
    ...(plan.notices.length === 0 ? [] : [plan.notices.map((notice) => `- ${plain(notice)}`).join('\n')]),
    // Where no rule fired, why not is what a person came for.
    count === 0
      ? ruleParts
      : `${tagTable(plan)}\n\n${details(`${counted(rules.length, 'rule')}, and why each made a tag or none`, ruleParts)}`,
    details(
      counted(labels.size, 'label'),
      table(
        ['Label', 'Value'],
        [...labels].map(([key, value]) => [code(key), plain(value)]),
      ),
    ),
  ].join('\n\n');
}

/** One row a repository and variant, so that a tag of many images is not told with each one's whole name. */
function tagTable({ variants }: TagPlan): string {
  return table(
    ['Image', 'Variant', 'Tags'],
    variants.map(({ image, variant, repositories, tagNames }) => [
      (repositories.length === 0 && image !== '' ? [image] : repositories).map(code).join('\n'),
      variant === '' ? '' : code(variant),
      tagNames.map(code).join(', '),
    ]),
  );
}

function ruleTable({ outcomes, latest }: TagPlan): string {
  return table(
    ['Tag', 'Rule', 'Why not'],
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
