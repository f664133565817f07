import { describe, expect, it } from 'vitest';
import { planAttestations } from '../../../../src/core/buildkit/attestations.ts';
import { type OutputRequest, planOutputs } from '../../../../src/core/buildkit/image-outputs.ts';

const request: OutputRequest = {
  push: 'false',
  load: false,
  repository: 'ghcr.io/acme/web',
  layout: undefined,
  outputs: [],
  builder: { driver: 'docker' },
  created: undefined,
  isValidation: true,
};
const container = { driver: 'docker-container' };

describe('the outputs of an image', () => {
  it.each<[string, Partial<OutputRequest>, readonly string[] | undefined]>([
    ['a row that is only validated', {}, ['type=cacheonly']],
    ['a build by hand with the engine’s own builder', { isValidation: false }, undefined],
    ['a build by hand in a container', { isValidation: false, builder: container }, ['type=cacheonly']],
    ['a push by tags', { push: 'true' }, ['type=image,push=true']],
    [
      'a push by digest in a container',
      { push: 'by-digest', builder: container },
      ['type=image,name=ghcr.io/acme/web,push-by-digest=true,name-canonical=true,push=true'],
    ],
    ['a push by digest from a layout', { push: 'by-digest', layout: '/p/l' }, ['type=oci,tar=false,dest=/p/l']],
    ['a checked push by tags', { push: 'true', layout: '/p/l', builder: container }, ['type=oci,tar=false,dest=/p/l']],
    ['a load', { load: true }, ['type=docker']],
    [
      'a checked load',
      { load: true, layout: '/p/l' },
      ['type=oci,tar=false,dest=/p/l', 'type=docker,oci-mediatypes=true'],
    ],
    [
      'a dated push from a layout',
      { push: 'by-digest', layout: '/p/l', created: 1_700_000_000 },
      ['type=oci,tar=false,dest=/p/l,source-date-epoch=1700000000'],
    ],
    ['the user’s own', { outputs: ['type=local,dest=o'] }, ['type=local,dest=o']],
  ])('of %s', (_, change, expected) => {
    expect(planOutputs({ ...request, ...change })).toEqual(expected);
  });
});

describe('the attestations of an image', () => {
  const asked = { provenance: '', sbom: '', attests: [], isPushed: true, isPublic: true, builderId: 'https://run' };
  it.each([
    ['pushed from a public repository', {}, ['type=provenance,mode=max,builder-id=https://run']],
    ['pushed from a private one', { isPublic: false }, ['type=provenance,mode=min,builder-id=https://run']],
    ['pushed from one not known', { isPublic: undefined }, ['type=provenance,mode=min,builder-id=https://run']],
    ['not pushed', { isPushed: false }, ['type=provenance,disabled=true']],
    ['without provenance', { provenance: 'false' }, ['type=provenance,disabled=true']],
    [
      'with attributes',
      { provenance: 'mode=max,version=v1' },
      ['type=provenance,mode=max,version=v1,builder-id=https://run'],
    ],
    ['with a bill of materials', { provenance: 'false', sbom: 'true' }, ['type=provenance,disabled=true', 'type=sbom']],
    [
      'with the user’s own',
      { attests: ['type=provenance,mode=min', 'type=sbom,generator=g'] },
      ['type=provenance,mode=min', 'type=sbom,generator=g'],
    ],
  ])('%s', (_, change, expected) => {
    expect(planAttestations({ ...asked, ...change })).toEqual(expected);
  });
});
