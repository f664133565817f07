import type { TagFacts } from './facts.ts';
import { parseVersion } from './versions.ts';

/**
 * The suite's own rules, as a person could have typed them in `tags`, for a run of this kind.
 *
 * `latest` on the default branch, the date on a schedule, the branch, the git tag (a version also as `1.2.3`, `1.2`
 * and, from 1.0 on, `1`), `pr-<number>` for a pull request and in a merge queue, and the commit always.
 */
export function defaultRules(facts: Pick<TagFacts, 'ref'>): string {
  const { ref } = facts;
  return [
    `type=schedule,pattern={{date 'YYYYMMDD'}}`,
    ...versionRules(ref.tag),
    // A merge queue's branch lives for minutes and its name ends with a commit: the pull request is what it is about.
    ...(ref.isMergeQueue ? [] : ['type=ref,event=branch']),
    'type=ref,event=tag',
    'type=ref,event=pr',
    'type=raw,value=latest,enable={{is_default_branch}}',
    'type=sha',
  ].join('\n');
}

function versionRules(tag: string | undefined): readonly string[] {
  if (tag === undefined) return [];
  const name = tag.replaceAll('/', '-');
  const scheme = (['semver', 'pep440'] as const).find((candidate) => parseVersion(name, candidate) !== undefined);
  if (scheme === undefined) return [];
  return ['{{version}}', '{{major}}.{{minor}}', '{{#if major}}{{major}}{{/if}}'].map(
    (pattern) => `type=${scheme},pattern=${pattern}`,
  );
}
