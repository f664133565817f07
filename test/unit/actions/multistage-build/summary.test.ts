import { describe, expect, test } from 'vitest';
import { buildSummary, type FailedStep, type ImageResult } from '../../../../src/actions/multistage-build/summary.ts';
import type { Timeline } from '../../../../src/core/buildkit/build-timeline.ts';
import type { LayoutImage } from '../../../../src/core/buildkit/oci-layout.ts';

const timeline: Timeline = {
  stages: [
    { stage: 'deps', start: 0, duration: 3000, steps: 2, cachedSteps: 2 },
    { stage: 'runtime', start: 3000, duration: 9000, steps: 2, cachedSteps: 0 },
  ],
  others: [],
  duration: 12_000,
  steps: 4,
  cachedSteps: 2,
};

const layout = (size: number, platform = 'linux/amd64'): LayoutImage => ({
  platform,
  configDigest: '',
  user: '',
  userInstruction: undefined,
  hasHealthcheck: false,
  labels: {},
  layers: [{ mediaType: '', digest: `sha256:${'1'.repeat(64)}`, size, instruction: 'COPY . .' }],
  size,
});

const image = (fields: Partial<ImageResult> = {}): ImageResult => ({
  title: 'app',
  digest: `sha256:${'a'.repeat(64)}`,
  refs: [`ghcr.io/acme/app@sha256:${'a'.repeat(64)}`],
  platforms: [layout(5_000_000)],
  published: [],
  checks: [],
  ...fields,
});

const check = (name: string, hasPassed: boolean) => ({ check: name, hasPassed, finding: `${name} was looked at` });
const summary = (images: readonly ImageResult[], failure?: FailedStep): string =>
  buildSummary(images, [], timeline, '{}', failure);

describe('the summary of a build', () => {
  test('begins with what was built, how large, in what time, and how much of it was cached', () => {
    expect(summary([image()])).toMatch(
      /^## Built <code>app<\/code>\n\n5\.0 MB compressed, in 12\.0 s; 2 of 4 steps from the cache\.\n/,
    );
    expect(summary([image(), image({ title: 'web' })])).toMatch(/^## Built 2 images\n\n10\.0 MB /);
  });

  test('says in a sentence where the one image went, and how it grew against what is published', () => {
    const text = summary([image({ published: [layout(4_000_000)] })]);
    expect(text).toContain('5.0 MB compressed (+1.0 MB against published), in 12.0 s');
    expect(text).toContain('\nPushed to <code>ghcr.io/acme/app</code> as <code>sha256:aaaaaaaaaaaa</code>.\n');
    expect(summary([image({ refs: [] })])).toContain(
      'Its digest is <code>sha256:aaaaaaaaaaaa</code>; it was not pushed.',
    );
  });

  test('tells images and platforms apart where there are several', () => {
    const platforms = [layout(5_000_000), layout(4_000_000, 'linux/arm64')];
    expect(summary([image({ platforms })])).toContain(
      '| <code>linux/amd64</code><br><code>linux/arm64</code> | 5.0&nbsp;MB<br>4.0&nbsp;MB |',
    );
    expect(summary([image(), image({ title: 'web', published: [layout(4_000_000)] })])).toContain(
      '| <code>web</code> | 5.0&nbsp;MB | +1.0&nbsp;MB | <code>ghcr.io/acme/app</code> | <code>sha256:aaaaaaaaaaaa</code> |',
    );
  });

  test('draws no bar for a stage that was cached', () => {
    expect(summary([image()])).toContain(`| <code>deps</code> | <code>${'·'.repeat(24)}</code> | cached |`);
    expect(summary([image()])).toContain(
      `| <code>${'·'.repeat(6)}${'█'.repeat(18)}</code> | 9.0&nbsp;s | 0&nbsp;of&nbsp;2 |`,
    );
  });

  test('puts failed checks first, and folds those that passed', () => {
    const results = [check('non-root', true), check('max-size', false)];
    const text = summary([image({ checks: [{ platform: 'linux/amd64', results }] })]);
    expect(text).toMatch(/^## 1 check failed: <code>app<\/code>\n/);
    expect(text).toContain('Pushed to');
    expect(text.indexOf('❌ | <code>max-size</code> | max-size was')).toBeLessThan(text.indexOf('\nPushed to'));
    expect(text).toMatch(/<summary>1 check passed<\/summary>\n\n.*\n.*\n\| ✅ \| <code>non-root<\/code>/);
  });

  test('says at which step a build ended, with the last that it printed', () => {
    const output = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    const failure = { where: 'runtime 3/4 RUN make `all`', output };
    const text = summary([image({ digest: undefined, refs: [], platforms: [] })], failure);
    expect(text).toMatch(
      /^## Build failed: <code>app<\/code>\n\n> \[!CAUTION\]\n> It ended at <code>runtime 3\/4 RUN make &#96;all&#96;<\/code>\n\n```\nline 5\n/,
    );
    expect(text).toContain('line 19\n```\n\nIt took 12.0 s; 2 of 4 steps from the cache.');
    expect(text).not.toContain('Pushed to');
  });

  test('takes nothing of an image or a check for markup', () => {
    const results = [{ check: 'max-size', hasPassed: false, finding: '<b>too</b> large' }];
    const text = summary([image({ title: 'web|gpu', checks: [{ platform: undefined, results }] })]);
    expect(text).not.toContain('<b>');
    expect(text).toContain('web&#124;gpu');
  });

  test('lists the largest layers, and counts the rest', () => {
    const [layer] = layout(0).layers;
    if (layer === undefined) throw new Error('a layout has a layer');
    const layers = Array.from({ length: 10 }, (_, at) => ({
      ...layer,
      size: (at + 1) * 1_000_000,
      instruction: `RUN step ${at + 1}`,
    }));
    const rows = summary([image({ platforms: [{ ...layout(55_000_000), layers }] })])
      .split('\n')
      .filter((line) => /RUN step|smaller layers/.test(line));
    expect(rows).toHaveLength(9);
    expect(rows[0]).toContain('RUN step 10');
    expect(rows.at(-1)).toMatch(/3\.0&nbsp;MB \| 2 smaller layers/);
  });

  test('says what was exported, and how it was judged', () => {
    const folder = { folder: 'site', size: 3_000, files: 2, results: [check('forbid-paths', true)] };
    const text = buildSummary([image()], [folder], timeline, '{"target":{}}');
    expect(text).toMatch(/<code>site<\/code> \| 3\.0&nbsp;kB \| 2 \|/);
    expect(text).toMatch(/✅ \| <code>forbid-paths<\/code>/);
    expect(text).toContain('{"target":{}}');
  });
});
