import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError } from '../runner/errors.ts';
import { AwsError } from './aws-error.ts';
import type { CloudFrontService } from './cloudfront-service.ts';
import { childrenOf, escapeXml, textAt, type XmlElement } from './xml.ts';

export interface InvalidationRequest {
  readonly distributionId: string;
  /** Paths that begin with `/`, percent-encoded; `*` at the end stands for all below. */
  readonly paths: readonly string[];
  /** The same reference makes a repeated request the same invalidation, so that a retry costs nothing. */
  readonly callerReference: string;
}

export interface Distribution {
  readonly id: string;
  /** Of each origin: empty, or a folder such as `/app` that stands before every path. */
  readonly originPaths: readonly string[];
}

/** Milliseconds. Others' invalidations are carried out within minutes. */
export interface Patience {
  readonly firstPause: number;
  readonly longestPause: number;
  readonly total: number;
}

const WHILE_OTHERS_RUN: Patience = { firstPause: 2000, longestPause: 30_000, total: 600_000 };
const UNTIL_COMPLETED: Patience = { firstPause: 1000, longestPause: 10_000, total: 900_000 };
/** Pages of 100 distributions; an account has 200 unless it asks for more. */
const MAX_PAGES = 100;

/**
 * Creates an invalidation and returns its id; it is carried out in the background.
 *
 * While those of others fill the distribution's quota (3,000 paths, 15 wildcards), it is tried again. Throws
 * ConfigurationError where the distribution or the permission is missing, AwsError for another refusal.
 */
export async function createInvalidation(
  service: CloudFrontService,
  { distributionId, paths, callerReference }: InvalidationRequest,
  patience: Patience = WHILE_OTHERS_RUN,
): Promise<string> {
  const items = paths.map((path) => `<Path>${escapeXml(path)}</Path>`).join('');
  const body = `<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>${paths.length}</Quantity><Items>${items}</Items></Paths><CallerReference>${escapeXml(callerReference)}</CallerReference></InvalidationBatch>`;
  const describe = `INVALIDATE ${distributionId}`;
  const permission = `cloudfront:CreateInvalidation on distribution ${distributionId}`;
  for (const pause of pauses(patience)) {
    try {
      const call = { method: 'POST', body: async () => body, describe };
      const answer = await service.send(call, `distribution/${distributionId}/invalidation`, permission);
      return textAt(answer, 'Id') ?? '';
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      if (error.code === 'NoSuchDistribution') throw noSuchDistribution(distributionId, error);
      if (error.code !== 'TooManyInvalidationsInProgress' || pause === undefined) throw error;
      service.log.info(`${describe}: others are in progress; trying again in ${(pause / 1000).toFixed(1)} s`);
      await sleep(pause);
    }
  }
  throw new Error('no try was made');
}

/** Waits until an invalidation is carried out everywhere; false when it was not within 15 minutes. */
export async function waitForInvalidation(
  service: CloudFrontService,
  { distributionId, id }: { readonly distributionId: string; readonly id: string },
  patience: Patience = UNTIL_COMPLETED,
): Promise<boolean> {
  const permission = `cloudfront:GetInvalidation on distribution ${distributionId}, which "wait" needs`;
  for (const pause of pauses(patience)) {
    const call = { method: 'GET', describe: `GET INVALIDATION ${id}` };
    const answer = await service.send(call, `distribution/${distributionId}/invalidation/${id}`, permission);
    if (textAt(answer, 'Status') === 'Completed') return true;
    if (pause !== undefined) await sleep(pause);
  }
  return false;
}

/** The distribution that answers for a domain name. Throws ConfigurationError when there is none. */
export async function findDistribution(service: CloudFrontService, alias: string): Promise<Distribution> {
  const wanted = alias.toLowerCase();
  let marker: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await service.send(
      {
        method: 'GET',
        query: [['MaxItems', '100'], ...(marker === undefined ? [] : [['Marker', marker] as const])],
        describe: 'LIST DISTRIBUTIONS',
      },
      'distribution',
      'cloudfront:ListDistributions, which "distribution-alias" needs; or give "distribution-id"',
    );
    const items = elementsAt(answer, 'Items', 'DistributionSummary');
    const found = items.find((item) =>
      elementsAt(item, 'Aliases', 'Items', 'CNAME').some(({ text }) => text.toLowerCase() === wanted),
    );
    if (found !== undefined) {
      const origins = elementsAt(found, 'Origins', 'Items', 'Origin');
      return {
        id: textAt(found, 'Id') ?? '',
        originPaths: origins.map((origin) => textAt(origin, 'OriginPath') ?? ''),
      };
    }
    marker = textAt(answer, 'NextMarker');
    if (textAt(answer, 'IsTruncated') !== 'true' || marker === undefined || marker === '') break;
  }
  throw new ConfigurationError(`input "distribution-alias": no distribution of this account has the alias ${alias}`);
}

function noSuchDistribution(distributionId: string, cause: AwsError): ConfigurationError {
  return new ConfigurationError(`input "distribution-id": there is no distribution ${distributionId} in this account`, {
    cause,
  });
}

/** Growing pauses between tries; undefined after the last. */
function* pauses({ firstPause, longestPause, total }: Patience): Generator<number | undefined> {
  let spent = 0;
  for (let pause = firstPause; spent + pause <= total; pause = Math.min(longestPause, pause * 1.5)) {
    spent += pause;
    yield pause;
  }
  yield undefined;
}

/** All elements of the last name on a path of names. */
function elementsAt(element: XmlElement, ...path: readonly string[]): readonly XmlElement[] {
  return path.reduce<readonly XmlElement[]>(
    (level, name) => level.flatMap((parent) => childrenOf(parent, name)),
    [element],
  );
}
