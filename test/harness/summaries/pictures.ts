import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../../../src/core/runner/command.ts';
import type { ColorScheme, Page } from '../browser/page.ts';
import type { Chromium } from '../services/chromium.ts';
import { FOLDER_INSIDE, rootEnvironment } from '../services/package-root.ts';
import { drawDiagrams } from './diagrams.ts';
import { githubPage, renderMarkdown } from './github-page.ts';
import type { Sample } from './sample-runs.ts';

/** A picture of the documentation: `docs/pictures/NAME-light.png` and `NAME-dark.png`. */
export interface Picture {
  readonly name: string;
  /** Names of samples, from the top. */
  readonly shows: readonly string[];
  /** The folded sections that it shows open. */
  readonly opens?: readonly string[];
}

export const PICTURES: readonly Picture[] = [
  {
    name: 'release',
    shows: ['line/plan/build-matrix', 'line/build/frontend-linux-amd64/multistage-build'],
  },
  { name: 'build-matrix', shows: ['broken/plan/build-matrix'], opens: ['What is built from what'] },
  { name: 'model-verify', shows: ['tampered/build/yolov8-model-linux-amd64/model-verify'] },
  { name: 'metadata-tags', shows: ['version/publish/metadata-tags'] },
  { name: 'multistage-build', shows: ['first/build/backend-linux-amd64/multistage-build'] },
  { name: 'ghcr-publish', shows: ['version/publish/ghcr-publish'] },
  { name: 'frontend-s3-deploy', shows: ['line/site/frontend-s3-deploy'] },
];

/** Pixels of GitHub's column for a README; twice as many of the screen, so that text stays sharp. */
const WIDTH = 880;
const SCALE = 2;
const COLORS = 16;

/** The samples of a picture. Throws for one that no run left. */
export function samplesOfPicture({ name, shows }: Picture, samples: readonly Sample[]): readonly Sample[] {
  return shows.map((wanted) => {
    const found = samples.find((sample) => sample.name === wanted);
    if (found === undefined) throw new Error(`the picture "${name}" shows ${wanted}, which no run left`);
    return found;
  });
}

/** A PNG of few colours, as GitHub shows the samples of a picture. */
export async function takePicture(
  { chromium, page, folder }: { readonly chromium: Chromium; readonly page: Page; readonly folder: string },
  picture: Picture,
  samples: readonly Sample[],
  scheme: ColorScheme,
): Promise<Buffer> {
  const cards: { title: string; html: string }[] = [];
  for (const { title, markdown } of samplesOfPicture(picture, samples))
    cards.push({ title, html: await renderMarkdown(chromium, markdown) });
  await page.show(githubPage(cards, picture.opens ?? []), {
    width: WIDTH,
    scheme,
    scale: SCALE,
  });
  await drawDiagrams(page, scheme);
  await writeFile(path.join(folder, 'picture.png'), await page.screenshot());
  const inside = (name: string): string => path.posix.join(FOLDER_INSIDE, name);
  const { file, args } = chromium.program('pngquant', [
    String(COLORS),
    '--speed=1',
    '--strip',
    '--nofs',
    '--force',
    `--output=${inside('small.png')}`,
    inside('picture.png'),
  ]);
  await runCommand(file, args, { env: rootEnvironment, deadline: 60_000 });
  return await readFile(path.join(folder, 'small.png'));
}

/**
 * What a summary looks like, less what differs from run to run: headings, heads of tables, folded sections, boxes, kinds
 * of code, with figures as `N`. A picture is stale when this has changed.
 */
export function structureOf(markdown: string): string {
  const lines = markdown.split('\n');
  return lines
    .filter(
      (line, index) =>
        /^(?:#|>|<details>|```\w)/.test(line) ||
        (line.startsWith('| ') && lines[index + 1]?.startsWith('| -') === true),
    )
    .map((line) => line.replace(/<code>.*?<\/code>/g, 'CODE').replace(/\d[\d.]*/g, 'N'))
    .join('\n');
}
