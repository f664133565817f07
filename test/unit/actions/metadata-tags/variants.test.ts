import { describe, expect, test } from 'vitest';
import { runMetadata } from './metadata-step.ts';

const row = (image: string, variant = '', platform = 'linux/amd64') => ({ image, variant, platform });
const matrix = JSON.stringify({
  include: [
    row('api'),
    row('api', '', 'linux/arm64'),
    row('worker', 'cpu'),
    row('worker', 'cpu', 'linux/arm64'),
    row('worker', 'gpu'),
  ],
});
const tags = 'type=semver,pattern={{version}}';
const release = { ref: 'refs/tags/v1.2.3' };

describe('a matrix', () => {
  test('gives references for each image and variant, each platform once', async () => {
    const { outputs } = await runMetadata({
      ...release,
      inputs: { matrix, tags, images: 'ghcr.io/acme/app/{image}', 'default-variant': 'cpu' },
    });
    expect(outputs['matrixTags']).toEqual({
      api: { '': ['ghcr.io/acme/app/api:1.2.3', 'ghcr.io/acme/app/api:latest'] },
      worker: {
        cpu: ['1.2.3', 'latest', '1.2.3-cpu', 'latest-cpu'].map((tag) => `ghcr.io/acme/app/worker:${tag}`),
        gpu: ['1.2.3-gpu', 'latest-gpu'].map((tag) => `ghcr.io/acme/app/worker:${tag}`),
      },
    });
    expect(JSON.parse(String(outputs['json']))['matrix-tags']).toEqual(outputs['matrixTags']);
    expect(outputs['immutableTag']).toBe('1.2.3');
    expect(outputs['version']).toBe('1.2.3');
  });

  test('may be one row, as a build job has it', async () => {
    const inputs = { matrix: JSON.stringify(row('worker', 'gpu')), tags, images: 'ghcr.io/acme/{image}' };
    const { outputs, tags: made } = await runMetadata({ ...release, inputs });
    expect(made).toEqual(['ghcr.io/acme/worker:1.2.3-gpu', 'ghcr.io/acme/worker:latest-gpu']);
    expect(outputs['version']).toBe('1.2.3-gpu');
  });

  test('without rows makes no tags, and says so', async () => {
    const { outputs, log } = await runMetadata({
      inputs: { matrix: '{"include":[]}', images: 'ghcr.io/acme/{image}' },
    });
    expect(outputs).toMatchObject({ tags: '', tagNames: '', matrixTags: {}, immutableTag: '' });
    expect(log).toContain('::notice::"matrix" has no rows: no tags are made');
  });

  test('is needed for {image}', async () => {
    await expect(runMetadata({ inputs: { images: 'ghcr.io/acme/{image}' } })).rejects.toThrow(
      '"matrix" does not say which images there are',
    );
  });

  test('of two images needs {image}: else both would be written under one name', async () => {
    const rows = JSON.stringify([row('api'), row('web')]);
    await expect(
      runMetadata({ inputs: { matrix: rows, tags: 'type=sha', images: 'ghcr.io/acme/app' } }),
    ).rejects.toThrow('"ghcr.io/acme/app:sha-860c190" would name both api and web');
  });

  test('of two variants with one ending is a collision, which may be a warning', async () => {
    const rows = JSON.stringify([
      { ...row('app', 'a'), suffix: '' },
      { ...row('app', 'b'), suffix: '' },
    ]);
    const inputs = { matrix: rows, tags: 'type=sha', images: 'ghcr.io/acme/{image}' };
    await expect(runMetadata({ inputs })).rejects.toThrow('would name both app a and app b');
    const { log } = await runMetadata({ inputs: { ...inputs, 'on-collision': 'warn' } });
    expect(log).toMatch(/::warning::two things would be written under one name/);
  });

  test('without the default variant is an error that names the variants', async () => {
    await expect(
      runMetadata({ inputs: { matrix, images: 'ghcr.io/acme/{image}', 'default-variant': 'gpuu' } }),
    ).rejects.toThrow('no row has the variant "gpuu"; there are cpu, gpu');
  });
});

describe('a variant', () => {
  test.each([
    [{ variant: 'gpu' }, ['1.2.3-gpu', 'latest-gpu']],
    [{ variant: 'gpu', 'default-variant': 'cpu' }, ['1.2.3-gpu', 'latest-gpu']],
    [{ variant: 'cpu', 'default-variant': 'cpu' }, ['1.2.3', 'latest', '1.2.3-cpu', 'latest-cpu']],
  ])('%o names %j', async (inputs, expected) => {
    expect((await runMetadata({ ...release, inputs: { tags, ...inputs } })).tags).toEqual(expected);
  });

  test('that cannot stand in a tag is refused', async () => {
    await expect(runMetadata({ inputs: { variant: 'g/pu' } })).rejects.toThrow('"-g/pu" cannot end a tag');
  });

  test('beside a matrix is refused', async () => {
    await expect(runMetadata({ inputs: { matrix, variant: 'gpu' } })).rejects.toThrow('leave one out');
  });

  test('whose names another branch would have is a collision', async () => {
    const inputs = {
      matrix: JSON.stringify([row('w', 'cpu'), row('w', 'gpu')]),
      tags: 'type=ref,event=branch',
      images: 'x/{image}',
      'default-variant': 'cpu',
      'known-refs': 'dev-gpu',
    };
    await expect(runMetadata({ ref: 'refs/heads/dev', inputs })).rejects.toThrow(
      '"dev-gpu" would name refs/heads/dev, and refs/heads/dev-gpu',
    );
  });
});

test('of many collisions the first twenty are told', async () => {
  const known = Array.from({ length: 30 }, (_, index) => `a${'/'.repeat(index + 2)}b`).join(',');
  const inputs = { tags: 'type=ref,event=branch', 'known-refs': known };
  await expect(runMetadata({ ref: 'refs/heads/a/b', inputs })).rejects.toThrow(/; and 10 more\. Give one/);
});
