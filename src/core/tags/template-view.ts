import type { TemplateView } from './expressions.ts';
import { isOnDefaultBranch, type TagFacts } from './facts.ts';
import type { Version } from './versions.ts';

/** What templates can name of a run. */
export function viewOf(facts: TagFacts): TemplateView {
  const isDefault = isOnDefaultBranch(facts);
  return {
    values: new Map<string, string | number>([
      ['branch', facts.ref.branch ?? ''],
      ['tag', facts.ref.tag ?? ''],
      ['sha', facts.sha.slice(0, facts.shortShaLength)],
      ['base_ref', facts.baseRef],
      ['is_default_branch', String(isDefault)],
      ['is_not_default_branch', String(!isDefault)],
    ]),
    now: facts.now,
    commitDate: facts.commitDate,
  };
}

/** What a version rule's pattern can name: the run, and the version. */
export function withVersion(view: TemplateView, version: Version): TemplateView {
  return { ...view, values: new Map([...view.values, ...version.values]) };
}
