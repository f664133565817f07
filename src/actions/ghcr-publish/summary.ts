import type { WrittenTag } from '../../core/registry/publish.ts';
import { formatReference, formatRepository } from '../../core/registry/reference.ts';
import {
  alert,
  code,
  codeBlock,
  counted,
  details,
  plain,
  shortDigest,
  shortenDigests,
  table,
} from '../../core/report/markdown.ts';
import type { LoadedRelease } from './load-release.ts';
import type { Outcome } from './outputs.ts';

/** The job summary: what each image is now named, and what was left as it was and why. */
export function summarize(
  releases: readonly LoadedRelease[],
  { tags, attestations, retired }: Outcome,
  options: { readonly isDryRun: boolean; readonly failure: string | undefined },
): string {
  const skipped = tags.filter(({ outcome }) => outcome === 'skipped' || outcome === 'superseded');
  const parts = [
    `## ${titleOf(releases, options)}`,
    ...(options.failure === undefined ? [] : [alert('caution', `**Not all was written:** ${plain(options.failure)}`)]),
    ...(releases.length === 0 ? [] : [releasesPart(releases, tags, options.isDryRun)]),
    ...(skipped.length === 0 ? [] : [`### Left as they were\n\n${skippedTable(skipped)}`]),
    ...(releases.length === 0 ? [] : [details('To pull by digest', codeBlock(pullReferences(releases, tags)))]),
    ...(attestations.length === 0 ? [] : [`### Provenance\n\n${attestations.map((url) => `- <${url}>`).join('\n')}`]),
    ...(retired.length === 0
      ? []
      : [`### ${options.isDryRun ? 'Would delete' : 'Deleted'}\n\n${retiredTable(retired)}`]),
  ];
  return parts.join('\n\n');
}

/** The platforms stand in the table where the images differ in them, else above it. */
function releasesPart(releases: readonly LoadedRelease[], tags: readonly WrittenTag[], isDryRun: boolean): string {
  const [platforms, ...others] = new Set(releases.map((release) => release.platforms.map(code).join(', ')));
  const isCommon = platforms !== undefined && platforms !== '' && others.length === 0;
  const rows = releases.flatMap((release) => {
    const own = tagsOf(release, tags);
    const byRepository = Map.groupBy(own, ({ repository }) => formatRepository(repository));
    const places = byRepository.size === 0 ? [['', []] as const] : [...byRepository];
    return places.map(([repository, there]) => {
      const listed = (outcome: WrittenTag['outcome']): string =>
        there
          .filter((each) => each.outcome === outcome)
          .map(({ tag }) => code(tag))
          .join(', ');
      return [
        repository === '' ? code(release.image) : code(repository),
        release.variant === '' ? '' : code(release.variant),
        listed('written'),
        listed('unchanged'),
        isCommon ? '' : release.platforms.map(code).join('\n'),
        code(shortDigest(release.index.manifest.digest)),
      ];
    });
  });
  const written = isDryRun ? 'Tags to write' : 'Tags written';
  const lead = isCommon ? `${releases.length === 1 ? 'For' : 'Each for'} ${platforms}.\n\n` : '';
  return `${lead}${table(['Image', 'Variant', written, 'Unchanged', 'Platforms', 'Digest'], rows)}`;
}

function tagsOf({ image, variant }: LoadedRelease, tags: readonly WrittenTag[]): readonly WrittenTag[] {
  return tags.filter((tag) => tag.image === image && tag.variant === variant);
}

/** Whole digests, one reference a line, to be copied. */
function pullReferences(releases: readonly LoadedRelease[], tags: readonly WrittenTag[]): string {
  const references = releases.flatMap((release) => {
    const { digest } = release.index.manifest;
    const own = tagsOf(release, tags);
    return own.length === 0
      ? [digest]
      : own.map(({ repository }) => formatReference({ registry: repository.registry, name: repository.name, digest }));
  });
  return [...new Set(references)].join('\n');
}

function skippedTable(skipped: readonly WrittenTag[]): string {
  return table(
    ['Tag', 'Why'],
    skipped.map(({ repository, tag, reason, outcome }) => [
      code(formatReference({ ...repository, tag })),
      plain(outcome === 'superseded' ? 'another run moved it at the same time' : shortenDigests(reason)),
    ]),
  );
}

function retiredTable(retired: Outcome['retired']): string {
  return table(
    ['Image', 'Digest', 'Tags', 'Why'],
    retired.map(({ repository, digest, tags, reason }) => [
      code(formatRepository(repository)),
      code(shortDigest(digest)),
      tags.map(code).join('\n'),
      plain(reason),
    ]),
  );
}

function titleOf(
  releases: readonly LoadedRelease[],
  { isDryRun, failure }: { readonly isDryRun: boolean; readonly failure: string | undefined },
): string {
  if (releases.length === 0) return 'Retention';
  const images = counted(releases.length, 'image');
  if (isDryRun) return `Dry run: would publish ${images}`;
  return failure === undefined ? `Published ${images}` : `Not all of ${images} published`;
}
