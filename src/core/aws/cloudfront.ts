import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';
import type { Log } from '../runner/log.ts';
import { createAdaptiveConcurrency } from './adaptive-concurrency.ts';
import { AwsError } from './aws-error.ts';
import type { CredentialSource } from './credentials.ts';
import { parseEndpoint, partitionOf } from './regions.ts';
import { sendSigned } from './signed-request.ts';
import { escapeXml, parseXml, textAt } from './xml.ts';

export interface InvalidationRequest {
  readonly distributionId: string;
  /** Paths that begin with `/`, percent-encoded; `*` at the end stands for all below. */
  readonly paths: readonly string[];
  /** The same reference makes a repeated request the same invalidation, so that a retry costs nothing. */
  readonly callerReference: string;
}

/**
 * Creates an invalidation (CloudFront API 2020-05-31) and returns its id; it is carried out in the background.
 *
 * Throws ConfigurationError where the distribution or the permission is missing, AwsError for another refusal.
 */
export async function createInvalidation(
  wanted: InvalidationRequest,
  service: { readonly region: string; readonly credentials: CredentialSource; readonly log: Log },
  environment: Environment,
): Promise<string> {
  const { distributionId, paths } = wanted;
  const items = paths.map((path) => `<Path>${escapeXml(path)}</Path>`).join('');
  const body = `<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>${paths.length}</Quantity><Items>${items}</Items></Paths><CallerReference>${escapeXml(wanted.callerReference)}</CallerReference></InvalidationBatch>`;
  try {
    const answer = await sendSigned(
      {
        endpoint: cloudFrontEndpoint(service.region, environment),
        // CloudFront is one service for all regions of a partition, signed for its home.
        scope: { service: 'cloudfront', region: homeRegion(service.region) },
        credentials: service.credentials,
        concurrency: createAdaptiveConcurrency({ initial: 1, max: 1 }),
        log: service.log,
      },
      {
        method: 'POST',
        path: `/2020-05-31/distribution/${distributionId}/invalidation`,
        headers: { 'content-type': 'application/xml' },
        body: async () => body,
        describe: `INVALIDATE ${distributionId}`,
      },
    );
    return textAt(parseXml(answer.body.toString('utf8')), 'Id') ?? '';
  } catch (error) {
    throw error instanceof AwsError ? explain(distributionId, error) : error;
  }
}

/** A distribution's id. Throws ConfigurationError. */
export function parseDistributionId(text: string): string {
  if (/^[A-Z0-9]{6,32}$/.test(text)) return text;
  throw new ConfigurationError(`${JSON.stringify(text)} is no distribution's id; it looks like E1A2B3C4D5E6F7`);
}

function cloudFrontEndpoint(region: string, environment: Environment): string {
  const override = environment['AWS_ENDPOINT_URL_CLOUDFRONT'] ?? environment['AWS_ENDPOINT_URL'] ?? '';
  if (override !== '') return parseEndpoint(override);
  return partitionOf(region).name === 'aws-cn'
    ? 'https://cloudfront.cn-northwest-1.amazonaws.com.cn'
    : 'https://cloudfront.amazonaws.com';
}

function homeRegion(region: string): string {
  return partitionOf(region).name === 'aws-cn' ? 'cn-northwest-1' : 'us-east-1';
}

function explain(distributionId: string, error: AwsError): Error {
  if (error.code === 'NoSuchDistribution') {
    return new ConfigurationError(
      `input "distribution-id": there is no distribution ${distributionId} in this account`,
      { cause: error },
    );
  }
  if (error.code === 'AccessDenied') {
    return new ConfigurationError(
      `input "distribution-id": the credentials may not invalidate ${distributionId}; allow cloudfront:CreateInvalidation on it`,
      { cause: error },
    );
  }
  return error;
}
