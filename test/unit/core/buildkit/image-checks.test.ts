import { describe, expect, it } from 'vitest';
import { checkGrowth, checkImage, checkPaths, isRoot } from '../../../../src/core/buildkit/image-checks.ts';
import { type ImageRules, parseGrowth, parseRequirement } from '../../../../src/core/buildkit/image-rules.ts';
import { toImage } from '../../../../src/core/buildkit/oci-layout.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const layer = (size: number) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size });
const config = {
  os: 'linux',
  architecture: 'amd64',
  config: { User: '1000:1000', Healthcheck: { Test: ['CMD-SHELL', 'true'] }, Labels: { a: 'b' } },
  history: [
    { created_by: 'COPY rootfs / # buildkit' },
    { created_by: 'CMD ["x"]', empty_layer: true },
    { created_by: 'RUN |1 MODE=prod /bin/sh -c npm ci # buildkit' },
  ],
};
const image = toImage(config, [layer(10), layer(90)], { digest, size: 5 });
const rules: ImageRules = { maxSize: undefined, maxGrowth: undefined, require: [], forbidPaths: [] };
const format = (bytes: number): string => `${bytes} B`;

describe('a built image', () => {
  it('knows the instruction of each layer, though others made none', () => {
    expect(image.layers.map(({ instruction }) => instruction)).toEqual(['COPY rootfs /', 'RUN npm ci']);
    expect(image).toMatchObject({
      platform: 'linux/amd64',
      user: '1000:1000',
      hasHealthcheck: true,
      labels: { a: 'b' },
      size: 105,
    });
  });

  it('that is too large names its largest layer', () => {
    expect(checkImage(image, { ...rules, maxSize: 104 }, format)).toEqual([
      {
        check: 'max-size',
        hasPassed: false,
        finding: '105 B of at most 104 B; the largest layer sha256:aaaaaaaaaaaa is 90 B by RUN npm ci',
      },
    ]);
    expect(checkImage(image, { ...rules, maxSize: 105 }, format)[0]?.hasPassed).toBe(true);
  });

  it.each([
    [{ User: '' }, [false, false]],
    [{ User: 'root', Healthcheck: { Test: ['NONE'] } }, [false, false]],
    [{ User: 'app', Healthcheck: { Test: ['CMD', 'x'] } }, [true, true]],
  ])('with %j meets its requirements: %j', (settings, expected) => {
    const checked = toImage({ ...config, config: settings }, [], { digest, size: 0 });
    const results = checkImage(checked, { ...rules, require: ['non-root', 'healthcheck'] }, format);
    expect(results.map(({ hasPassed }) => hasPassed)).toEqual(expected);
  });

  it.each([
    ['10%', 95, true],
    ['10%', 94, false],
    ['10B', 95, true],
    ['10B', 94, false],
    ['0%', 200, true],
  ])('may grow by %s over a published image of %i B: %s', (growth, published, expected) => {
    const before = { ...image, size: published, layers: [] };
    const result = checkGrowth(image, before, parseGrowth(growth), format);
    expect(result.hasPassed).toBe(expected);
    if (!expected) expect(result.finding).toContain('largest new layer sha256:aaaaaaaaaaaa is 90 B by RUN npm ci');
  });

  it('that is the first of its name has nothing to outgrow', () => {
    expect(checkGrowth(image, undefined, parseGrowth('1%'), format).hasPassed).toBe(true);
  });

  it('that has not all labels names those that are missing', () => {
    const [result] = checkImage(image, { ...rules, require: ['labels'] }, format);
    expect(result?.finding).toContain('org.opencontainers.image.source');
  });

  it('is asked for nothing that is unknown', () => {
    expect(() => parseRequirement('nonroot')).toThrow('did you mean non-root?');
    expect(() => parseGrowth('much')).toThrow('"much" is no size');
  });

  it.each([
    ['0', true],
    ['0:1000', true],
    ['root:x', true],
    ['1000:0', false],
    ['rooty', false],
  ])('run by %s is run by root: %s', (user, expected) => {
    expect(isRoot(user)).toBe(expected);
  });

  it('with forbidden paths names layer and instruction', () => {
    const found = [{ layer: digest, instruction: 'COPY . /', paths: ['/.env'], count: 3 }];
    expect(checkPaths('forbid-paths', found)).toMatchObject({
      hasPassed: false,
      finding: '/.env and 2 more in layer sha256:aaaaaaaaaaaa by COPY . /',
    });
  });
});
