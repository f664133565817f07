import { describe, expect, it } from 'vitest';
import { parseMetadata } from '../../../../src/core/buildkit/build-metadata.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('the metadata of a build', () => {
  it('tells digest, id, names and the manifest of each target', () => {
    const target = {
      'containerimage.digest': digest,
      'containerimage.config.digest': `sha256:${'b'.repeat(64)}`,
      'containerimage.descriptor': { mediaType: 'application/vnd.oci.image.index.v1+json', digest, size: 856 },
      'image.name': 'a:1,b:2',
    };
    expect(parseMetadata(JSON.stringify({ app: target, 'buildx.build.warnings': [] }))).toEqual(
      new Map([
        [
          'app',
          {
            digest,
            imageId: `sha256:${'b'.repeat(64)}`,
            names: ['a:1', 'b:2'],
            mediaType: 'application/vnd.oci.image.index.v1+json',
            manifestSize: 856,
          },
        ],
      ]),
    );
  });

  it('takes the digest for the id where the engine does', () => {
    expect(parseMetadata(JSON.stringify({ app: { 'containerimage.digest': digest } })).get('app')?.imageId).toBe(
      digest,
    );
  });

  it('takes no digest that is none', () => {
    expect(parseMetadata('{"app":{"containerimage.digest":"latest"}}').get('app')?.digest).toBeUndefined();
  });
});
