import { nameOf } from './definition.ts';
import type { PlannedRow } from './row-plan.ts';
import type { StaticFinding } from './static-checks.ts';

/** Labels of GitHub's own runners, as far as they tell what the machine is. */
const HOSTED = /^(ubuntu|windows|macos)-[\w.]+?(-arm)?$/;

/**
 * Rows that no runner serves: no label, an operating system that no container builder of that runner makes, or, on
 * GitHub's own runners, another architecture while no workflow sets up its emulation. And labels that no row asks for.
 */
export function checkRunners(
  rows: readonly PlannedRow[],
  runners: ReadonlyMap<string, string>,
  hasEmulation: boolean,
): readonly StaticFinding[] {
  const findings = rows.flatMap(({ row, candidate }): readonly StaticFinding[] => {
    const why = whyNotServed(row.platform, row.runner, hasEmulation);
    const { file = row.dockerfile, line = 1 } = candidate.definition.place;
    const message = `no runner serves ${nameOf(row)} for ${row.platform}: ${why}`;
    return why === undefined ? [] : [{ level: 'problem', title: 'Runner', file, line, message }];
  });
  const known = new Set(
    rows.flatMap(({ row, candidate }) => [
      row.id,
      nameOf(row),
      row.image,
      row.variant,
      row.platform,
      row.platform.split('/').slice(0, 2).join('/'),
      ...(candidate.isGpu ? ['gpu'] : []),
    ]),
  );
  const [first] = rows;
  const unused = [...runners.keys()].filter((key) => key !== 'default' && !known.has(key));
  if (first === undefined || unused.length === 0) return findings;
  const { file = first.row.dockerfile, line = 1 } = first.candidate.definition.place;
  const message = `"runners" names ${unused.join(', ')}, which is no image, variant, platform or row here`;
  return [...findings, { level: 'problem', title: 'Runner', file, line, message }];
}

function whyNotServed(platform: string, runner: string, hasEmulation: boolean): string | undefined {
  if (runner.trim() === '') return 'its label is empty; name one with "runners"';
  const [os = '', architecture = ''] = platform.split('/');
  if (os !== 'linux' && os !== 'windows') return `containers are made for linux or windows, not for ${os}`;
  const [, family, arm] = HOSTED.exec(runner) ?? [];
  if (family === undefined) return undefined;
  if (family !== (os === 'linux' ? 'ubuntu' : 'windows')) return `${runner} makes no ${os} containers`;
  const native = arm === undefined ? ['amd64', '386'] : ['arm64', 'arm'];
  if (native.includes(architecture) || hasEmulation) return undefined;
  return `${runner} does not run ${architecture}; name a runner with "runners" (${platform}=…), or set up emulation with docker/setup-qemu-action`;
}
