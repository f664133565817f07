import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ColorScheme, openPage, type Page } from '../harness/browser/page.ts';
import type { PageSnapshot } from '../harness/browser/snapshot.ts';
import { type Chromium, startChromium } from '../harness/services/chromium.ts';
import { drawDiagrams } from '../harness/summaries/diagrams.ts';
import { githubPage, renderMarkdown } from '../harness/summaries/github-page.ts';
import { HOSTILE_NAMES, hostileSamples } from '../harness/summaries/hostile-runs.ts';
import {
  findForbidden,
  findHeadingFaults,
  findOverflow,
  findVisibleMarkup,
} from '../harness/summaries/inspect-page.ts';
import { PICTURES, samplesOfPicture, structureOf, takePicture } from '../harness/summaries/pictures.ts';
import { collectSamples, type Sample } from '../harness/summaries/sample-runs.ts';
import { findFaintTexts } from '../harness/summaries/text-contrast.ts';

/** Pixels of GitHub's column for summaries on a desk, and of a telephone. */
const COLUMN = 1012;
const NARROW = 390;
/** Every title begins with nothing. */
const ALL_SECTIONS = [''];
/** GitHub shows no summary that is larger. */
const MAX_BYTES = 1024 * 1024;
/** Nobody reads on. */
const MAX_ROWS = 350;

/** Bytes of a picture in the repository. */
const MAX_PICTURE = 64_000;

const ACTIONS = [
  'build-matrix',
  'frontend-s3-deploy',
  'ghcr-publish',
  'metadata-tags',
  'model-verify',
  'multistage-build',
];

let folder: string;
let chromium: Chromium;
let page: Page;
let samples: readonly Sample[];
let hostile: readonly Sample[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'slipway-summaries-'));
  chromium = await startChromium({ folder: path.join(folder, 'chromium'), log: () => undefined });
  page = await openPage(chromium.endpoint);
  samples = await collectSamples();
  hostile = await hostileSamples();
});
afterAll(async () => {
  await page?.[Symbol.asyncDispose]();
  await chromium?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

const looks = new Map<string, PageSnapshot>();

/** What a reader sees who unfolds everything. */
async function look(sample: Sample, width: number, scheme: ColorScheme): Promise<PageSnapshot> {
  const key = `${sample.name} ${width} ${scheme}`;
  const seen = looks.get(key) ?? (await render(sample, width, scheme));
  looks.set(key, seen);
  return seen;
}

async function render(sample: Sample, width: number, scheme: ColorScheme): Promise<PageSnapshot> {
  const html = await renderMarkdown(chromium, sample.markdown);
  await page.show(githubPage([{ title: sample.title, html }], ALL_SECTIONS), { width, scheme });
  await drawDiagrams(page, scheme);
  return await page.snapshot();
}

/** The findings of all summaries by name: `{}` when there are none. */
async function faultsOf(
  those: readonly Sample[],
  find: (sample: Sample) => Promise<readonly string[]>,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const faults: [string, readonly string[]][] = [];
  for (const sample of those) faults.push([sample.name, await find(sample)]);
  return Object.fromEntries(faults.filter(([, found]) => found.length > 0));
}

describe('job summaries of real runs, in a browser as GitHub shows them', () => {
  test('come from all six actions', () => {
    expect([...new Set(samples.map(({ action }) => action))].sort()).toEqual(ACTIONS);
    expect(new Set(samples.map(({ name }) => name)).size).toBe(samples.length);
  });

  test.each(['light', 'dark'] as const)('are within the column and can be read, in %s', async (scheme) => {
    const faults = await faultsOf(samples, async (sample) => {
      const snapshot = await look(sample, COLUMN, scheme);
      return [...findOverflow(snapshot, COLUMN, ['pre']), ...findFaintTexts(snapshot)];
    });
    expect(faults).toEqual({});
  });

  test('are within a narrow page too, where only tables and code scroll', async () => {
    const faults = await faultsOf([...samples, ...hostile], async (sample) =>
      findOverflow(await look(sample, NARROW, 'light'), NARROW, ['pre', 'table']),
    );
    expect(faults).toEqual({});
  });

  test('show no markup', async () => {
    const faults = await faultsOf(samples, async (sample) => findVisibleMarkup(await look(sample, COLUMN, 'light')));
    expect(faults).toEqual({});
  });

  test('begin with one heading, and skip no level, whatever the names in them', async () => {
    const faults = await faultsOf([...samples, ...hostile], async (sample) =>
      findHeadingFaults(await look(sample, COLUMN, 'light')),
    );
    expect(faults).toEqual({});
  });

  test('show names that are Markdown, HTML or a mention as the text that they are', async () => {
    const shown = await Promise.all(
      hostile.filter(({ action }) => action === 'model-verify').map((sample) => look(sample, COLUMN, 'light')),
    );
    const text = shown.flatMap(({ texts }) => texts.map((each) => each.text)).join('');
    expect(HOSTILE_NAMES.filter((name) => !text.includes(`${name}.pkl`))).toEqual([]);
  });

  test('hold nothing that GitHub’s sanitiser would take out, whatever the names in them', async () => {
    const faults = await faultsOf([...samples, ...hostile], async ({ markdown }) => {
      const html = await renderMarkdown(chromium, markdown);
      await page.show(`<article>${html}</article>`, { width: COLUMN, scheme: 'light' });
      return findForbidden(await page.snapshot());
    });
    expect(faults).toEqual({});
  });

  test('are small, also those of hundreds of images', () => {
    for (const { name, markdown } of [...samples, ...hostile]) {
      expect(Buffer.byteLength(markdown), name).toBeLessThan(MAX_BYTES / 4);
      expect(markdown.split('\n').filter((line) => line.startsWith('| ')).length, name).toBeLessThan(MAX_ROWS);
    }
  });
});

describe('the measurements find', () => {
  const faulty = (markdown: string): Sample => ({ name: markdown, action: '', title: 'faulty', markdown });
  const word = 'x'.repeat(200);

  test.each<[string, string, (shown: PageSnapshot) => readonly string[], RegExp]>([
    ['a table that is too wide', `| a |\n| --- |\n| ${word} |`, (shown) => findOverflow(shown, COLUMN, []), /^table: /],
    ['faint text', '<p style="color: #999">faint</p>', findFaintTexts, /^2\.8: faint$/],
    ['faint text on a colour', '<p style="background: rgb(0 0 0 / 60%)">dim</p>', findFaintTexts, /^2\.\d: dim$/],
    ['a table that is none', '<p>\n| a |\n| --- |\n</p>', findVisibleMarkup, /--- \|/],
    ['a tag that was escaped', '&lt;details>', findVisibleMarkup, /^<details>$/],
    ['two titles', '## a\n\n## b', findHeadingFaults, /^headings of the levels 2, 2$/],
    ['a heading too low', '## a\n\n#### b', findHeadingFaults, /^h4 after h2$/],
    ['a style', '<p style="color: red">x</p>', findForbidden, /^<p style>$/],
    ['an element of other pages', '<form>x</form>', findForbidden, /^<form>$/],
    ['a link that runs code', '<a href="javascript:alert(1)">x</a>', findForbidden, /^href javascript:/],
  ])('%s', async (_, markdown, find, message) => {
    expect(find(await look(faulty(markdown), COLUMN, 'light'))).toEqual([expect.stringMatching(message)]);
  });

  test('a diagram that Mermaid cannot read', async () => {
    await expect(look(faulty('```mermaid\ngraph LR\n  a["b\n```'), COLUMN, 'light')).rejects.toThrow('Parse error');
  });
});

describe('the pictures of the documentation', () => {
  const pictures = path.resolve(import.meta.dirname, '../../docs/pictures');
  const structure = path.join(pictures, 'structure.txt');
  const files = PICTURES.flatMap((picture) =>
    (['light', 'dark'] as const).map((scheme) => ({ picture, scheme, file: `${picture.name}-${scheme}.png` })),
  );

  beforeAll(async () => {
    if (process.env['SLIPWAY_PICTURES'] !== 'take') return;
    await mkdir(pictures, { recursive: true });
    await writeFile(structure, structureOfAll());
    for (const { picture, scheme, file } of files) {
      const place = { chromium, page, folder: path.join(folder, 'chromium') };
      await writeFile(path.join(pictures, file), await takePicture(place, picture, samples, scheme));
    }
  });

  const structureOfAll = (): string =>
    PICTURES.flatMap((picture) =>
      samplesOfPicture(picture, samples).map(
        ({ name, markdown }) => `== ${picture.name}: ${name}\n${structureOf(markdown)}\n`,
      ),
    ).join('\n');

  test('show summaries as they are now', async () => {
    expect(structureOfAll(), 'run "npm run pictures" and commit docs/pictures').toBe(await readFile(structure, 'utf8'));
  });

  test.each(files)('are light to load: $file', async ({ file }) => {
    expect((await stat(path.join(pictures, file))).size).toBeLessThan(MAX_PICTURE);
  });
});
