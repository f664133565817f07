import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { parseEndpoint, parseRegion, partitionOf } from './regions.ts';

/** Where a bucket is. */
export interface S3Location {
  readonly bucket: string;
  readonly region: string;
  /** With the bucket in its host name where addressing is by virtual host. */
  readonly endpoint: string;
  /** `/bucket` where addressing is by path, else empty. */
  readonly bucketPath: string;
  /** False for a server that is not Amazon's. */
  readonly isAmazon: boolean;
}

export interface S3LocationOptions {
  readonly bucket: string;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly pathStyle: 'auto' | 'true' | 'false';
}

/**
 * Finds the address of a bucket from inputs and the SDK's standard variables (`AWS_REGION`, `AWS_DEFAULT_REGION`,
 * `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`).
 *
 * `auto` addresses Amazon by virtual host, and by path buckets with dots (a certificate's wildcard covers one label)
 * and every other server, because all of them know it. Throws ConfigurationError for a bad name or a missing region.
 */
export function locateBucket(options: S3LocationOptions, environment: Environment): S3Location {
  const bucket = parseBucketName(options.bucket);
  const endpoint = firstOf(options.endpoint, environment['AWS_ENDPOINT_URL_S3'], environment['AWS_ENDPOINT_URL']);
  const given = firstOf(options.region, environment['AWS_REGION'], environment['AWS_DEFAULT_REGION']);
  if (given === undefined && endpoint === undefined) {
    throw new ConfigurationError(
      'input "region": name the region of the bucket, such as eu-central-1, here or in AWS_REGION',
    );
  }
  const region = parseRegion(given ?? 'us-east-1');
  const base =
    endpoint === undefined ? `https://s3.${region}.${partitionOf(region).dnsSuffix}` : parseEndpoint(endpoint);
  const isAmazon = /\.(amazonaws\.com(\.cn)?|amazonaws\.eu)$/.test(new URL(base).hostname);
  const isByPath = options.pathStyle === 'auto' ? !isAmazon || bucket.includes('.') : options.pathStyle === 'true';
  return {
    bucket,
    region,
    endpoint: isByPath ? base : base.replace('://', `://${bucket}.`),
    bucketPath: isByPath ? `/${bucket}` : '',
    isAmazon,
  };
}

/** The URL of an object for people; it answers only where the bucket is public. */
export function objectUrl(location: S3Location, key: string): string {
  return `${location.endpoint}${location.bucketPath}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** A bucket's name ("Bucket naming rules", Amazon S3 User Guide); capitals and `_` are those of older servers. */
function parseBucketName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/.test(text) && !text.includes('..')) return text;
  const fix =
    text.startsWith('s3://') || text.includes('/') ? '; write its name alone, and the folder in "prefix"' : '';
  throw new ConfigurationError(`input "bucket": ${JSON.stringify(text)} is no bucket's name${fix}`);
}

function firstOf(...values: readonly (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined && value !== '');
}
