import { describe, expect, it } from 'vitest';
import { type CacheRequest, planCache } from '../../../../src/core/buildkit/cache.ts';

const request: CacheRequest = {
  kind: 'gha',
  scope: 'web-linux-amd64',
  branches: [''],
  mode: 'max',
  isWritable: true,
  timeout: 90_500,
};

describe('a build cache', () => {
  it('of GitHub names its scope and no token, and never fails the build', () => {
    expect(planCache(request)).toEqual({
      'cache-from': ['type=gha,scope=web-linux-amd64,timeout=91s'],
      'cache-to': ['type=gha,scope=web-linux-amd64,timeout=91s,mode=max,ignore-error=true'],
    });
  });

  it('is only read where it must not be written', () => {
    expect(planCache({ ...request, isWritable: false })).toEqual({
      'cache-from': ['type=gha,scope=web-linux-amd64,timeout=91s'],
    });
  });

  it('of a registry stands beside the image, under a tag that registries take', () => {
    const scope = `a/${'b'.repeat(200)}`;
    const planned = planCache({ ...request, kind: 'registry', scope, mode: 'min', repository: 'ghcr.io/acme/web' });
    const tag = /:(buildcache-a-b{98}-[0-9a-f]{16})$/.exec(planned['cache-from']?.[0] ?? '')?.[1];
    expect(tag).toHaveLength(128);
    expect(planned['cache-to']?.[0]).toContain('mode=min,ignore-error=true');
  });

  it.each([
    ['registry', 'ref=ghcr.io/acme/web:buildcache-web-linux-amd64'],
    ['local', 'src=/cache/web-linux-amd64'],
  ] as const)(
    'of a branch in a %s is read before those of its base and the default branch, and written apart',
    (kind, place) => {
      const places = { repository: 'ghcr.io/acme/web', folder: '/cache' };
      const planned = planCache({ ...request, ...places, kind, branches: ['.pr-5', '.next', ''] });
      expect(planned['cache-from']).toEqual(['.pr-5', '.next', ''].map((end) => `type=${kind},${place}${end}`));
      expect(planned['cache-to']?.[0]).toContain('web-linux-amd64.pr-5');
    },
  );

  it('of a folder is written beside the one that is read', () => {
    const planned = planCache({ ...request, kind: 'local', folder: '/cache' });
    expect(planned['cache-from']).toEqual(['type=local,src=/cache/web-linux-amd64']);
    expect(planned['cache-to']?.[0]).toContain('dest=/cache/web-linux-amd64.next');
  });

  it('that is off has no attributes', () => {
    expect(planCache({ ...request, kind: 'off' })).toEqual({});
  });
});
