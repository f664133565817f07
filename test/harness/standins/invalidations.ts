import { XMLParser } from 'fast-xml-parser';
import { AwsError } from './xml-answer.ts';

export interface InvalidationBatch {
  readonly paths: readonly string[];
  readonly callerReference: string;
}

export interface Invalidation {
  readonly id: string;
  readonly distribution: string;
  readonly created: Date;
  readonly batch: InvalidationBatch;
}

/** Of one distribution, in progress at one time (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation.html). */
const MAX_PATHS = 3000;
const MAX_WILDCARDS = 15;

const parser = new XMLParser({
  parseTagValue: false,
  ignoreAttributes: true,
  trimValues: false,
  isArray: (name) => name === 'Path',
});

export function parseInvalidationBatch(body: string): InvalidationBatch {
  if (body.trim() === '') throw new AwsError(400, 'MissingBody', 'This operation requires a body.');
  const batch = member(parse(body), 'InvalidationBatch');
  const pathsElement = member(batch, 'Paths');
  const listed = member(member(pathsElement, 'Items'), 'Path');
  const paths = Array.isArray(listed) ? listed.map(String) : [];
  const callerReference = member(batch, 'CallerReference');
  if (typeof callerReference !== 'string' || callerReference === '') throw invalid('CallerReference is required.');
  if (Number(member(pathsElement, 'Quantity')) !== paths.length) {
    throw new AwsError(400, 'InconsistentQuantities', 'The value of Quantity and the size of Items do not match.');
  }
  if (paths.length === 0) throw invalid('Your request must contain at least one path.');
  if (!paths.every(isInvalidationPath)) {
    throw invalid('Your request contains one or more invalid invalidation paths.');
  }
  return { paths, callerReference };
}

/**
 * The earlier invalidation that the batch repeats, or undefined when a new one is to be made. Throws when its caller reference was
 * used for other paths, or when it would pass a limit together with those in progress.
 */
export function planInvalidation(
  batch: InvalidationBatch,
  earlier: readonly Invalidation[],
  inProgress: readonly Invalidation[],
): Invalidation | undefined {
  const same = earlier.find((other) => other.batch.callerReference === batch.callerReference);
  if (same !== undefined) {
    if (sortedText(same.batch.paths) === sortedText(batch.paths)) return same;
    throw invalid(
      'Your request contains a caller reference that was used for a previous invalidation batch for the same distribution.',
    );
  }
  const all = [...inProgress.map((other) => other.batch), batch].flatMap(({ paths }) => paths);
  const wildcards = all.filter((path) => path.endsWith('*')).length;
  if (wildcards > MAX_WILDCARDS || all.length - wildcards > MAX_PATHS) {
    throw new AwsError(
      400,
      'TooManyInvalidationsInProgress',
      'Processing your request would cause you to exceed the maximum number of in-progress invalidations.',
    );
  }
  return undefined;
}

/** `/…`, at most 4,000 characters; a wildcard only as the last one; nothing that a URL would encode. */
function isInvalidationPath(path: string): boolean {
  return path.length <= 4000 && /^\/[^*\s]*\*?$/.test(path) && [...path].every((character) => character <= '~');
}

function parse(body: string): unknown {
  try {
    return parser.parse(body, true);
  } catch (cause) {
    throw new AwsError(400, 'MalformedXML', `The XML document is malformed: ${String(cause)}`);
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}

function sortedText(paths: readonly string[]): string {
  return JSON.stringify(paths.toSorted());
}

function invalid(message: string): AwsError {
  return new AwsError(400, 'InvalidArgument', message);
}
