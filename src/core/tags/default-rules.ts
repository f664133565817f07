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
  for (const scheme of ['semver', 'pep440'] as const) {
    const version = parseVersion(name, scheme);
    if (version === undefined) continue;
    // Before 1.0 a minor version may break what the one before it promised (semver 2.0, §4): there is no `0` to follow.
    const isStable = version.values.get('major') !== 0;
    return [
      `type=${scheme},pattern={{version}}`,
      `type=${scheme},pattern={{major}}.{{minor}}`,
      `type=${scheme},pattern={{major}}${isStable ? '' : ',enable=false'}`,
    ];
  }
  return [];
}
