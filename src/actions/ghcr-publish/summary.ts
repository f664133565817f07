import type { WrittenTag } from '../../core/registry/publish.ts';
import { formatReference } from '../../core/registry/reference.ts';
import { code, plain, table } from '../../core/report/markdown.ts';
import type { LoadedRelease } from './load-release.ts';
import type { Outcome } from './outputs.ts';
import { nameOf } from './releases.ts';

/** The job summary: what each image is now named, and what was left as it was and why. */
export function summarize(
  releases: readonly LoadedRelease[],
  { tags, attestations, retired }: Outcome,
  options: { readonly isDryRun: boolean; readonly failure: string | undefined },
): string {
  const rows = releases.map((release) => {
    const own = tags.filter(({ image, variant }) => image === release.image && variant === release.variant);
    const listed = (outcomes: readonly WrittenTag['outcome'][]): string =>
      own
        .filter(({ outcome }) => outcomes.includes(outcome))
        .map(({ repository, tag }) => code(formatReference({ ...repository, tag })))
        .join('<br>');
    return [
      plain(nameOf(release)),
      release.platforms.map(code).join('<br>'),
      code(release.index.manifest.digest),
      listed(['written']),
      listed(['unchanged']),
    ];
  });
  const skipped = tags
    .filter(({ outcome }) => outcome === 'skipped' || outcome === 'superseded')
    .map(({ repository, tag, reason, outcome }) => [
      code(formatReference({ ...repository, tag })),
      plain(outcome === 'superseded' ? 'another run moved it at the same time' : reason),
    ]);
  const parts = [
    `## ${titleOf(releases.length, options.isDryRun)}`,
    ...(options.failure === undefined ? [] : [`**Not all was written:** ${plain(options.failure)}`]),
    ...(releases.length === 0
      ? []
      : [
          table(
            ['Image', 'Platforms', 'Digest', options.isDryRun ? 'Tags to write' : 'Tags written', 'Unchanged'],
            rows,
          ),
        ]),
    ...(skipped.length === 0 ? [] : ['### Left as they were', table(['Tag', 'Why'], skipped)]),
    ...(attestations.length === 0 ? [] : ['### Provenance', attestations.map((url) => `- <${url}>`).join('\n')]),
    ...(retired.length === 0 ? [] : [`### ${options.isDryRun ? 'Would delete' : 'Deleted'}`, retiredTable(retired)]),
  ];
  return parts.join('\n\n');
}

function retiredTable(retired: Outcome['retired']): string {
  return table(
    ['Image', 'Tags', 'Why'],
    retired.map(({ repository, digest, tags, reason }) => [
      code(formatReference({ ...repository, digest })),
      tags.map(code).join('<br>'),
      plain(reason),
    ]),
  );
}

function titleOf(releases: number, isDryRun: boolean): string {
  if (releases === 0) return 'Retention';
  return isDryRun ? 'Would publish' : 'Published';
}
