import { describe, expect, test } from 'vitest';
import { runMetadata, SHA } from './metadata-step.ts';

const inputs = {
  images: 'ghcr.io/Acme/App\nname=docker.io/acme/app',
  tags: 'type=semver,pattern={{version}}\ntype=sha',
  labels: 'org.opencontainers.image.title=Mine\nzone=${HOME}%{x}\nempty=',
};
const release = { ref: 'refs/tags/v1.2.3', inputs };

describe('outputs', () => {
  test('are those of docker/metadata-action', async () => {
    const { outputs } = await runMetadata(release);
    const tags = ['ghcr.io/acme/app', 'docker.io/acme/app'].flatMap((name) =>
      ['1.2.3', 'sha-860c190', 'latest'].map((tag) => `${name}:${tag}`),
    );
    expect(outputs['version']).toBe('1.2.3');
    expect(outputs['tags']).toBe(tags.join('\n'));
    expect(outputs['tagNames']).toBe('1.2.3\nsha-860c190\nlatest');
    expect(String(outputs['labels']).split('\n')).toEqual([
      'empty=',
      expect.stringMatching(/^org\.opencontainers\.image\.created=20\d\d-.*Z$/),
      'org.opencontainers.image.description=An app',
      'org.opencontainers.image.licenses=MIT',
      `org.opencontainers.image.revision=${SHA}`,
      'org.opencontainers.image.source=https://github.com/acme/app',
      'org.opencontainers.image.title=Mine',
      'org.opencontainers.image.url=https://github.com/acme/app',
      'org.opencontainers.image.version=1.2.3',
      'zone=${HOME}%{x}',
    ]);
    expect(JSON.parse(String(outputs['json']))).toMatchObject({
      tags,
      'tag-names': ['1.2.3', 'sha-860c190', 'latest'],
      labels: { zone: '${HOME}%{x}' },
    });
    expect(outputs['immutableTag']).toBe('1.2.3');
    expect(outputs['matrixTags']).toEqual({});
  });

  test('bake definitions hold them, with what bake would take for a variable escaped', async () => {
    const result = await runMetadata({
      ...release,
      inputs: { ...inputs, 'bake-target': 'release', annotations: 'note=x' },
    });
    expect(result.bakeFile('bakeFile')).toMatchObject({
      target: {
        release: {
          tags: expect.arrayContaining(['ghcr.io/acme/app:1.2.3']),
          labels: { zone: '$${HOME}%%{x}' },
          args: { DOCKER_META_IMAGES: 'ghcr.io/acme/app,docker.io/acme/app', DOCKER_META_VERSION: '1.2.3' },
        },
      },
    });
    expect(result.bakeFile('bakeFileAnnotations')).toMatchObject({
      target: { release: { annotations: expect.arrayContaining(['manifest:note=x']) } },
    });
    expect(result.bakeFile('bakeFileTags')).not.toHaveProperty('target.release.labels');
    expect(result.bakeFile('bakeFileLabels')).not.toHaveProperty('target.release.tags');
  });

  test('stand in the environment too, unless that is switched off', async () => {
    const { exported } = await runMetadata(release);
    const names = [...exported.matchAll(/^DOCKER_METADATA_OUTPUT_(\w+)<</gm)].map(([, name]) => name);
    expect(names).toEqual([
      'VERSION',
      'TAGS',
      'TAG_NAMES',
      'LABELS',
      'ANNOTATIONS',
      'JSON',
      'BAKE_FILE',
      'BAKE_FILE_TAGS',
      'BAKE_FILE_LABELS',
      'BAKE_FILE_ANNOTATIONS',
    ]);
    expect((await runMetadata({ ...release, environment: { DOCKER_METADATA_SET_OUTPUT_ENV: 'F' } })).exported).toBe('');
  });

  test('are separated as wished, blanks included', async () => {
    const { outputs } = await runMetadata({
      ...release,
      inputs: { ...inputs, images: '', 'sep-tags': ', ', 'sep-labels': '|' },
    });
    expect(outputs['tags']).toBe('1.2.3, sha-860c190, latest');
    expect(outputs['labels']).toContain('|zone=');
  });

  test('annotations go to each level', async () => {
    const step = {
      inputs: { annotations: 'a=b' },
      environment: { DOCKER_METADATA_ANNOTATIONS_LEVELS: 'index, manifest[linux/amd64]' },
    };
    const { outputs } = await runMetadata(step);
    expect(outputs['annotations']).toContain('index:a=b');
    expect(outputs['annotations']).toContain('manifest[linux/amd64]:a=b');
    await expect(runMetadata({ environment: { DOCKER_METADATA_ANNOTATIONS_LEVELS: 'indx' } })).rejects.toThrow(
      'holds "indx"',
    );
  });

  test.each([
    ['type=semver,pattern={{version}}\ntype=sha', '1.2.3'],
    ['type=semver,pattern=r{{major}}.{{minor}}.{{patch}}', 'r1.2.3'],
    ['type=ref,event=tag', 'v1.2.3'],
    ['type=semver,pattern={{major}}\ntype=sha', 'sha-860c190'],
    ['type=semver,pattern={{major}}.{{minor}}', ''],
  ])('of the tags of %j the one that never moves is %j', async (tags, expected) => {
    expect((await runMetadata({ ...release, inputs: { tags } })).outputs['immutableTag']).toBe(expected);
  });

  test('a label without an equals sign is left out with a warning that names its line', async () => {
    const { log, outputs } = await runMetadata({ inputs: { labels: 'a=1\nno label' } });
    expect(log).toContain('input "labels": line 2 ("no label") is no key=value and was left out');
    expect(outputs['labels']).not.toContain('no label');
  });
});

describe('the job summary', () => {
  test('says which rule made each tag and why the others did not', async () => {
    const rules =
      'type=semver,pattern={{version}}\ntype=semver,pattern=1.2.3\ntype=ref,event=pr\ntype=semver,pattern={{major}}';
    const { summary } = await runMetadata({
      ref: 'refs/tags/v1.2.3',
      inputs: { tags: rules },
      repository: { tags: { 'v1.3.0': SHA } },
    });
    expect(summary).toContain('| <code>1.2.3</code> | <code>type=semver,pattern={{version}}</code> |');
    expect(summary).toContain('the run is for no pull request');
    expect(summary).toContain('v1.3.0 is newer');
    expect(summary).toContain('made by a rule above');
  });

  test('holds nothing of a ref as Markdown', async () => {
    const { summary } = await runMetadata({ ref: 'refs/heads/<img>|`x`', inputs: { tags: 'type=ref,event=branch' } });
    expect(summary).not.toContain('<img>');
  });
});
