import { randomUUID } from 'node:crypto';
import {
  type Invalidation,
  type InvalidationBatch,
  parseInvalidationBatch,
  planInvalidation,
} from './invalidations.ts';
import { type Answer, listen, type ReceivedRequest, type Standin } from './listening-server.ts';
import { AwsError, awsErrorAnswer, type XmlNode, xmlAnswer } from './xml-answer.ts';

export interface Distribution {
  readonly id: string;
  readonly domainName?: string;
  readonly aliases?: readonly string[];
  /** Host name of its origin, such as a bucket's. */
  readonly origin?: string;
  /** What stands before every path at the origin, such as `/app`. */
  readonly originPath?: string;
}

export interface CloudFrontOptions {
  readonly port?: number;
  readonly distributions: readonly Distribution[];
  /** Milliseconds until an invalidation is `Completed`; 0: it is at its first look. */
  readonly completeAfter?: number;
}

/** CloudFront's API (2020-05-31, REST-XML) as far as invalidations go, with its real limits. */
export interface CloudFront extends Standin {
  readonly invalidations: readonly Invalidation[];
}

const NAMESPACE = 'http://cloudfront.amazonaws.com/doc/2020-05-31/';
const INVALIDATION_PATH = /^\/2020-05-31\/distribution\/([^/]+)\/invalidation(?:\/([^/]+))?$/;

export async function startCloudFront(options: CloudFrontOptions): Promise<CloudFront> {
  const invalidations: Invalidation[] = [];
  const isInProgress = ({ created }: Invalidation) => Date.now() < created.getTime() + (options.completeAfter ?? 0);

  async function create(request: ReceivedRequest, distribution: string): Promise<Answer> {
    const batch = parseInvalidationBatch((await request.body()).toString());
    const others = invalidations.filter((other) => other.distribution === distribution);
    const planned = planInvalidation(batch, others, others.filter(isInProgress));
    const invalidation = planned ?? { id: newId(), distribution, created: new Date(), batch };
    if (planned === undefined) invalidations.push(invalidation);
    const location = `${server.url}${request.url.pathname}/${invalidation.id}`;
    return invalidationAnswer(201, invalidation, true, { location });
  }

  async function route(request: ReceivedRequest): Promise<Answer> {
    requireSignature(request);
    const { pathname, searchParams } = request.url;
    if (request.method === 'GET' && pathname === '/2020-05-31/distribution') {
      return listAnswer(
        options.distributions,
        searchParams.get('Marker') ?? '',
        Number(searchParams.get('MaxItems') ?? 100),
      );
    }
    const [, distribution, id] = INVALIDATION_PATH.exec(pathname) ?? [];
    if (distribution === undefined) throw new AwsError(404, 'NoSuchResource', `there is nothing at ${pathname}`);
    if (!options.distributions.some((known) => known.id === distribution)) {
      throw new AwsError(404, 'NoSuchDistribution', 'The specified distribution does not exist.');
    }
    if (request.method === 'POST' && id === undefined) return create(request, distribution);
    const found = invalidations.find((other) => other.distribution === distribution && other.id === id);
    if (request.method !== 'GET' || found === undefined) {
      throw new AwsError(404, 'NoSuchInvalidation', 'The specified invalidation does not exist.');
    }
    return invalidationAnswer(200, found, isInProgress(found));
  }

  const server = await listen(
    async (request) => {
      try {
        return await route(request);
      } catch (error) {
        if (error instanceof AwsError) return awsErrorAnswer(error, NAMESPACE, randomUUID());
        throw error;
      }
    },
    options.port === undefined ? {} : { port: options.port },
  );
  return { ...server, invalidations };
}

function requireSignature({ headers }: ReceivedRequest): void {
  const authorization = headers.authorization ?? '';
  if (authorization === '') {
    throw new AwsError(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
  }
  const isSigned =
    /^AWS4-HMAC-SHA256 Credential=[^/,]+\/\d{8}\/us-east-1\/cloudfront\/aws4_request, ?SignedHeaders=[^,]*host[^,]*, ?Signature=[0-9a-f]{64}$/;
  if (!isSigned.test(authorization)) {
    // The service is global and takes only one region's signatures.
    throw new AwsError(403, 'SignatureDoesNotMatch', 'Credential should be scoped to us-east-1/cloudfront.');
  }
}

function newId(): string {
  return `I${randomUUID().replaceAll('-', '').slice(0, 25).toUpperCase()}`;
}

function invalidationAnswer(
  status: number,
  { id, created, batch }: Invalidation,
  isInProgress: boolean,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const root: XmlNode = [
    'Invalidation',
    [
      ['Id', id],
      ['Status', isInProgress ? 'InProgress' : 'Completed'],
      ['CreateTime', created.toISOString()],
      ['InvalidationBatch', batchContent(batch)],
    ],
  ];
  return xmlAnswer(status, root, NAMESPACE, headers);
}

function batchContent({ paths, callerReference }: InvalidationBatch): readonly XmlNode[] {
  const items = paths.map((path): XmlNode => ['Path', path]);
  return [
    [
      'Paths',
      [
        ['Quantity', items.length],
        ['Items', items],
      ],
    ],
    ['CallerReference', callerReference],
  ];
}

function listAnswer(distributions: readonly Distribution[], marker: string, maxItems: number): Answer {
  const sorted = distributions.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const rest = sorted.filter(({ id }) => id > marker);
  const page = rest.slice(0, maxItems);
  const isTruncated = page.length < rest.length;
  const root: XmlNode = [
    'DistributionList',
    [
      ['Marker', marker],
      isTruncated && ['NextMarker', page.at(-1)?.id ?? ''],
      ['MaxItems', maxItems],
      ['IsTruncated', isTruncated],
      ['Quantity', page.length],
      ['Items', page.map(distributionSummary)],
    ],
  ];
  return xmlAnswer(200, root, NAMESPACE);
}

function distributionSummary({ id, domainName, aliases = [], origin, originPath = '' }: Distribution): XmlNode {
  return [
    'DistributionSummary',
    [
      ['Id', id],
      ['ARN', `arn:aws:cloudfront::123456789012:distribution/${id}`],
      ['Status', 'Deployed'],
      ['DomainName', domainName ?? `${id.toLowerCase()}.cloudfront.net`],
      [
        'Aliases',
        [
          ['Quantity', aliases.length],
          ['Items', aliases.map((alias): XmlNode => ['CNAME', alias])],
        ],
      ],
      origin !== undefined && [
        'Origins',
        [
          ['Quantity', 1],
          [
            'Items',
            [
              [
                'Origin',
                [
                  ['Id', 'origin-1'],
                  ['DomainName', origin],
                  ['OriginPath', originPath],
                ],
              ],
            ],
          ],
        ],
      ],
      ['Enabled', true],
    ],
  ];
}
