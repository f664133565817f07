import { describe, expect, it } from 'vitest';
import { type CacheRequest, planCache } from '../../../../src/core/buildkit/cache.ts';

const request: CacheRequest = { kind: 'gha', scope: 'web-linux-amd64', mode: 'max', isWritable: true, timeout: 90_500 };

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
    const tag = `buildcache-a-${'b'.repeat(115)}`;
    expect(tag).toHaveLength(128);
    expect(planned['cache-from']).toEqual([`type=registry,ref=ghcr.io/acme/web:${tag}`]);
    expect(planned['cache-to']?.[0]).toContain('mode=min,ignore-error=true');
  });

  it('of a folder is written beside the one that is read', () => {
    const planned = planCache({ ...request, kind: 'local', folder: '/cache' });
    expect(planned['cache-from']).toEqual(['type=local,src=/cache/web-linux-amd64']);
    expect(planned['cache-to']?.[0]).toContain('dest=/cache/web-linux-amd64.next');
  });

  it('that is off has no attributes', () => {
    expect(planCache({ ...request, kind: 'off' })).toEqual({});
  });
});
