import { ConfigurationError } from '../runner/errors.ts';
import { AwsError } from './aws-error.ts';
import type { S3Location } from './s3-location.ts';

/**
 * A refusal of S3 in the words of the person who must mend it; an error that nobody can mend is returned as it is.
 *
 * `action` is the permission that the request needed, such as `s3:PutObject`.
 */
export function explainS3Refusal(error: unknown, location: S3Location, action: string): unknown {
  if (!(error instanceof AwsError)) return error;
  const fix = fixOf(error, location, action);
  return fix === undefined ? error : new ConfigurationError(`${fix} (${error.message})`, { cause: error });
}

function fixOf(error: AwsError, location: S3Location, action: string): string | undefined {
  const { bucket, region, isAmazon } = location;
  const elsewhere = error.region !== undefined && error.region !== region ? error.region : undefined;
  switch (error.code) {
    case 'NoSuchBucket':
      return `input "bucket": there is no bucket ${bucket} ${isAmazon ? `in ${region}` : `at ${location.endpoint}`}`;
    case 'PermanentRedirect':
    case 'TemporaryRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return elsewhere === undefined
        ? `input "region": the bucket ${bucket} is not in ${region}`
        : `input "region": the bucket ${bucket} is in ${elsewhere}, not in ${region}`;
    case 'AccessDenied':
    case 'AllAccessDisabled':
      return `the credentials may not do this: allow ${action} on ${resourceOf(action, location)}, and look for a deny in the bucket's policy`;
    case 'InvalidAccessKeyId':
      return `the access key is not known ${isAmazon ? 'to AWS' : `at ${location.endpoint}`}: it was deleted, or belongs to another account or server`;
    case 'SignatureDoesNotMatch':
      return 'the secret access key does not belong to the access key, or a proxy changed the request on its way';
    case 'ExpiredToken':
    case 'InvalidToken':
    case 'TokenRefreshRequired':
      return 'the session of the credentials is over: give "role-to-assume", which renews them, or make the session longer';
    case 'RequestTimeTooSkewed':
      return 'the clock of this runner is wrong by more than 15 minutes: set it, for example by starting its time service';
    case 'BadDigest':
    case 'XAmzContentSHA256Mismatch':
      return 'the server got other bytes than were announced: did a file of the source change while it was deployed?';
    case 'EntityTooLarge':
      return 'a file is larger than this server takes';
    case 'AccessControlListNotSupported':
      return 'input "headers": the bucket does not take ACLs (object ownership is enforced); remove x-amz-acl';
    case 'KMS.DisabledException':
    case 'KMS.NotFoundException':
      return "the bucket's KMS key cannot be used";
    default:
      return undefined;
  }
}

function resourceOf(action: string, { bucket }: S3Location): string {
  return action === 's3:ListBucket' ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/*`;
}
