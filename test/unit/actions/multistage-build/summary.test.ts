import { describe, expect, it } from 'vitest';
import { buildSummary, type ImageResult } from '../../../../src/actions/multistage-build/summary.ts';
import type { Timeline } from '../../../../src/core/buildkit/build-timeline.ts';
import { toImage } from '../../../../src/core/buildkit/oci-layout.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const layers = Array.from({ length: 10 }, (_, at) => ({ mediaType: 'x', digest, size: (at + 1) * 1_000_000 }));
const history = layers.map((_, at) => ({ created_by: `RUN step ${at + 1} | tee` }));
const platform = (scale: number) =>
  toImage(
    { os: 'linux', architecture: 'amd64', config: {}, history },
    layers.map((layer) => ({ ...layer, size: layer.size * scale })),
    { digest, size: 0 },
  );
const image: ImageResult = {
  title: 'web|gpu',
  digest,
  refs: [`ghcr.io/a/b@${digest}`],
  platforms: [platform(1)],
  published: [platform(2)],
  checks: [
    {
      platform: 'linux/amd64',
      results: [
        { check: 'non-root', hasPassed: true, finding: 'processes run as 1000' },
        { check: 'max-size', hasPassed: false, finding: '<b>too</b> large' },
      ],
    },
  ],
};
const timeline: Timeline = {
  stages: [
    { stage: 'deps', start: 0, duration: 500, steps: 2, cachedSteps: 2 },
    { stage: 'build', start: 500, duration: 500, steps: 4, cachedSteps: 1 },
  ],
  others: [{ name: 'exporting cache', start: 900, duration: 100 }],
  duration: 1_000,
  steps: 6,
  cachedSteps: 3,
};

describe('the summary of a build', () => {
  const summary = buildSummary(
    [image],
    [{ folder: 'site', size: 3_000, files: 2, results: [{ check: 'forbid-paths', hasPassed: true, finding: 'none' }] }],
    timeline,
    '{"target":{}}',
  );
  const lineOf = (text: string): string => summary.split('\n').find((line) => line.includes(text)) ?? '';

  it('says how long it took, and what was cached', () => {
    expect(summary).toContain('3 of 6 steps cached');
    expect(lineOf('<code>deps</code>')).toMatch(/█{12}·{12}<.*\| cached \| 2 of 2 \|/);
    expect(lineOf('<code>build</code>')).toMatch(/·{12}█{12}.*1 of 4/);
    expect(lineOf('exporting cache')).toContain('█');
  });

  it('says the size, against what is published, and by layer', () => {
    expect(lineOf('Digest')).toContain('Size, compressed');
    expect(summary).toMatch(/55(?:\.0)? MB, published 110(?:\.0)? MB/);
    const rows = summary.split('\n').filter((line) => /RUN step/.test(line));
    expect(rows).toHaveLength(8);
    expect(rows[0]).toContain('RUN step 10');
    expect(summary).toMatch(/3(?:\.0)? MB \| 2 smaller layers/);
  });

  it('says what passed and what failed, and nothing of an image is taken for markup', () => {
    expect(lineOf('<code>non-root</code>')).toContain('✅');
    expect(lineOf('<code>max-size</code>')).toContain('❌');
    expect(summary).not.toContain('<b>');
    expect(lineOf('<code>forbid-paths</code>')).toContain('<code>site</code>');
    expect(lineOf('3.0 kB')).toContain('| 2 |');
    expect(summary).toContain('{"target":{}}');
  });

  it('of a failed build leaves out what there is not', () => {
    const nothing = { ...image, digest: undefined, refs: [], platforms: [], published: [], checks: [] };
    const failed = buildSummary([nothing], [], { ...timeline, stages: [], others: [] }, '');
    expect(failed).not.toMatch(/Digest|Check|Stage|Exported/);
  });
});
