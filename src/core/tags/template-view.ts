import type { TemplateView } from './expressions.ts';
import { isOnDefaultBranch, type TagFacts } from './facts.ts';
import type { Version } from './versions.ts';

/** What templates can name: the run, and in a version's pattern the version too. */
export function viewOf(facts: TagFacts, version?: Version): TemplateView {
  const isDefault = isOnDefaultBranch(facts);
  return {
    values: new Map<string, string | number>([
      ['branch', facts.ref.branch ?? ''],
      ['tag', facts.ref.tag ?? ''],
      ['sha', facts.sha.slice(0, facts.shortShaLength)],
      ['base_ref', facts.baseRef],
      ['is_default_branch', String(isDefault)],
      ['is_not_default_branch', String(!isDefault)],
      ...(version?.values ?? []),
    ]),
    now: facts.now,
    commitDate: facts.commitDate,
  };
}
