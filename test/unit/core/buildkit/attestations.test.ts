import { describe, expect, it } from 'vitest';
import { type AttestationRequest, planAttestations } from '../../../../src/core/buildkit/attestations.ts';

const request: AttestationRequest = {
  provenance: '',
  sbom: '',
  attests: [],
  isPushed: true,
  isPublic: true,
  builderId: 'https://github.com/a/b/actions/runs/1',
};
const ID = 'builder-id=https://github.com/a/b/actions/runs/1';

describe('attestations', () => {
  it.each<[string, Partial<AttestationRequest>, readonly string[]]>([
    ['of a public repository tell all', {}, [`type=provenance,mode=max,${ID}`]],
    ['of a private one tell no arguments', { isPublic: false }, [`type=provenance,mode=min,${ID}`]],
    ['of one that is not known tell no arguments', { isPublic: undefined }, [`type=provenance,mode=min,${ID}`]],
    ['of what stays here are none', { isPushed: false }, ['type=provenance,disabled=true']],
    [
      'that are asked for are made for what stays too',
      { isPushed: false, provenance: 'true' },
      [`type=provenance,mode=max,${ID}`],
    ],
    ['can be switched off', { provenance: 'false' }, ['type=provenance,disabled=true']],
    [
      'have the attributes that are given',
      { provenance: 'mode=min,version=v1' },
      [`type=provenance,mode=min,version=v1,${ID}`],
    ],
    [
      'keep a builder’s id that is given',
      { provenance: 'mode=max,builder-id=x' },
      ['type=provenance,mode=max,builder-id=x'],
    ],
    [
      'have a bill of materials where it is asked for',
      { sbom: 'true' },
      [`type=provenance,mode=max,${ID}`, 'type=sbom'],
    ],
    [
      'have one by another generator',
      { sbom: 'generator=a/b:1', provenance: 'false' },
      ['type=provenance,disabled=true', 'type=sbom,generator=a/b:1'],
    ],
    [
      'of "attests" stand in the place of both',
      { attests: ['type=sbom,generator=x', 'type=provenance,mode=min'], sbom: 'true' },
      ['type=sbom,generator=x', 'type=provenance,mode=min'],
    ],
  ])('%s', (_, change, expected) => {
    expect(planAttestations({ ...request, ...change })).toEqual(expected);
  });
});
