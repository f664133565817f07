import { describe, expect, it } from 'vitest';
import { locateBucket, objectUrl } from '../../../../src/core/aws/s3-location.ts';

const locate = (
  bucket: string,
  more: { region?: string; endpoint?: string; pathStyle?: 'auto' | 'true' | 'false' } = {},
  environment = {},
) =>
  locateBucket(
    { bucket, region: more.region, endpoint: more.endpoint, pathStyle: more.pathStyle ?? 'auto' },
    environment,
  );

describe('locateBucket', () => {
  it.each([
    ['site', { region: 'eu-central-1' }, {}, 'https://site.s3.eu-central-1.amazonaws.com/a%20b'],
    ['site', { region: 'cn-north-1' }, {}, 'https://site.s3.cn-north-1.amazonaws.com.cn/a%20b'],
    [
      'www.site.example',
      { region: 'eu-central-1' },
      {},
      'https://s3.eu-central-1.amazonaws.com/www.site.example/a%20b',
    ],
    ['site', {}, { AWS_REGION: 'eu-west-1' }, 'https://site.s3.eu-west-1.amazonaws.com/a%20b'],
    ['site', { endpoint: 'http://minio:9000' }, {}, 'http://minio:9000/site/a%20b'],
    [
      'site',
      { endpoint: 'https://s3.example.com', pathStyle: 'false' as const },
      {},
      'https://site.s3.example.com/a%20b',
    ],
    [
      'site',
      { region: 'eu-central-1', pathStyle: 'true' as const },
      {},
      'https://s3.eu-central-1.amazonaws.com/site/a%20b',
    ],
    ['site', {}, { AWS_ENDPOINT_URL_S3: 'http://ceph', AWS_ENDPOINT_URL: 'http://other' }, 'http://ceph/site/a%20b'],
  ])('addresses %s with %o and %o', (bucket, more, environment, url) => {
    expect(objectUrl(locate(bucket, more, environment), 'a b')).toBe(url);
  });

  it.each([
    ['s3://site', 'write its name alone'],
    ['site/app', 'the folder in "prefix"'],
    ['a', "is no bucket's name"],
  ])('refuses the bucket %s', (bucket, message) => {
    expect(() => locate(bucket, { region: 'eu-central-1' })).toThrow(message);
  });

  it('asks for the region where nothing tells it', () => {
    expect(() => locate('site')).toThrow('input "region"');
  });
});
