import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import { createAdaptiveConcurrency } from './adaptive-concurrency.ts';
import { AwsError } from './aws-error.ts';
import type { CredentialSource } from './credentials.ts';
import { parseEndpoint, partitionOf } from './regions.ts';
import { type SignedCall, sendSigned } from './signed-request.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** CloudFront's API (2020-05-31): one service for all regions of a partition, signed for its home. */
export interface CloudFrontService {
  /** Sends a call and reads its answer. Throws ConfigurationError where the permission is missing, else AwsError. */
  send(call: Omit<SignedCall, 'path' | 'headers'>, path: string, permission: string): Promise<XmlElement>;
  readonly log: Log;
}

export function createCloudFrontService(
  site: { readonly region: string; readonly credentials: CredentialSource; readonly log: Log },
  environment: Environment,
): CloudFrontService {
  const sender = {
    endpoint: endpointOf(site.region, environment),
    scope: { service: 'cloudfront', region: homeRegion(site.region) },
    credentials: site.credentials,
    concurrency: createAdaptiveConcurrency({ initial: 1, max: 1 }),
    log: site.log,
  };
  return {
    log: site.log,
    async send(call, path, permission) {
      try {
        const headers = { 'content-type': 'application/xml' };
        const answer = await sendSigned(sender, { ...call, headers, path: `/2020-05-31/${path}` });
        return parseXml(answer.body.toString('utf8'));
      } catch (error) {
        if (!(error instanceof AwsError) || error.code !== 'AccessDenied') throw error;
        throw new ConfigurationError(`the credentials may not do this: allow ${permission} (${error.message})`, {
          cause: error,
        });
      }
    },
  };
}

function endpointOf(region: string, environment: Environment): string {
  const override = environment['AWS_ENDPOINT_URL_CLOUDFRONT'] ?? environment['AWS_ENDPOINT_URL'] ?? '';
  if (override !== '') return parseEndpoint(override);
  return partitionOf(region).name === 'aws-cn'
    ? 'https://cloudfront.cn-northwest-1.amazonaws.com.cn'
    : 'https://cloudfront.amazonaws.com';
}

function homeRegion(region: string): string {
  return partitionOf(region).name === 'aws-cn' ? 'cn-northwest-1' : 'us-east-1';
}
