import { describe, expect, test } from 'vitest';
import { contract } from '../../../src/actions/metadata-tags/contract.ts';
import { push } from '../../harness/github-events.ts';
import { runBundle } from './run-bundle.ts';

const release = push('refs/tags/v1.2.3');
const tags = 'type=semver,pattern={{version}}\ntype=sha';

describe.concurrent('outputs', () => {
  test('are all there, and those of docker/metadata-action stand in the environment too', async () => {
    const { outputs, env } = await runBundle({ event: release, inputs: { images: 'ghcr.io/acme/app', tags } });
    expect(Object.keys(outputs)).toEqual(Object.keys(contract.outputs));
    const exported = Object.entries(outputs)
      .filter(([name]) => name !== 'matrix-tags' && name !== 'immutable-tag')
      .map(([name, value]) => [`DOCKER_METADATA_OUTPUT_${name.replaceAll('-', '_').toUpperCase()}`, value]);
    expect(env).toEqual(Object.fromEntries(exported));
    expect(JSON.parse(outputs['json'] ?? '')).toEqual({
      tags: ['1.2.3', 'sha-860c190', 'latest'].map((tag) => `ghcr.io/acme/app:${tag}`),
      'tag-names': ['1.2.3', 'sha-860c190', 'latest'],
      labels: expect.objectContaining({ 'org.opencontainers.image.version': '1.2.3' }),
      annotations: expect.arrayContaining(['manifest:org.opencontainers.image.version=1.2.3']),
    });
  });

  test('stay out of the environment when that is switched off', async () => {
    const { outputs, env } = await runBundle({ event: release, env: { DOCKER_METADATA_SET_OUTPUT_ENV: 'false' } });
    expect(env).toEqual({});
    expect(outputs['version']).toBe('1.2.3');
  });

  test('are separated as wished, blanks included, and by lines when nothing is wished', async () => {
    const inputs = { tags, 'sep-tags': ', ', 'sep-labels': ' | ', 'sep-annotations': ';' };
    const { outputs } = await runBundle({ event: release, inputs });
    expect(outputs['tags']).toBe('1.2.3, sha-860c190, latest');
    expect(outputs['labels']).toMatch(/^org\.opencontainers\.image\.created=[^|]+ \| org\.opencontainers/);
    expect(outputs['annotations']?.split(';')).toHaveLength(8);
    expect((await runBundle({ event: release, inputs: { tags } })).outputs['tags']).toBe('1.2.3\nsha-860c190\nlatest');
  });
});

describe.concurrent('variants', () => {
  const row = (image: string, variant = '', platform = 'linux/amd64') => ({ image, variant, platform });
  const matrix = JSON.stringify({
    include: [
      row('api'),
      row('worker', 'cpu'),
      row('worker', 'cpu', 'linux/arm64'),
      row('worker', 'gpu'),
      row('worker', 'cuda12'),
    ],
  });

  test('of a matrix each have their ending, and one owns the bare tags', async () => {
    const inputs = { images: 'ghcr.io/acme/app/{image}', tags, matrix, 'default-variant': 'cpu' };
    const { outputs } = await runBundle({ event: release, inputs });
    const of = (image: string, ...endings: string[]): string[] =>
      endings.flatMap((ending) =>
        ['1.2.3', 'sha-860c190', 'latest'].map((tag) => `ghcr.io/acme/app/${image}:${tag}${ending}`),
      );
    expect(JSON.parse(outputs['matrix-tags'] ?? '')).toEqual({
      api: { '': of('api', '') },
      worker: {
        cpu: of('worker', '', '-cpu'),
        gpu: of('worker', '-gpu'),
        cuda12: of('worker', '-cuda12'),
      },
    });
    expect(outputs['immutable-tag']).toBe('1.2.3');
  });

  test('that two rows would give the bare tags are a collision', async () => {
    const rows = JSON.stringify(['a', 'b'].map((variant) => ({ ...row('app', variant), suffix: '' })));
    const { said, outputs } = await runBundle({ inputs: { matrix: rows, images: 'ghcr.io/acme/{image}' } });
    expect(said('error').join()).toContain('"ghcr.io/acme/app:main" would name both app a and app b');
    expect(outputs).toEqual({});
  });

  test.each([
    [{ variant: 'gpu' }, '1.2.3-gpu sha-860c190-gpu latest-gpu'],
    [{ variant: 'gpu', 'default-variant': 'cpu' }, '1.2.3-gpu sha-860c190-gpu latest-gpu'],
    [{ variant: 'cpu', 'default-variant': 'cpu' }, '1.2.3 sha-860c190 latest 1.2.3-cpu sha-860c190-cpu latest-cpu'],
  ])('by an input alone: %j', async (inputs, expected) => {
    expect((await runBundle({ event: release, inputs: { tags, ...inputs } })).tags.join(' ')).toBe(expected);
  });
});
