import { parseDistributionId } from '../../core/aws/cloudfront.ts';
import { parseEndpoint, parseRegion } from '../../core/aws/regions.ts';
import { parseRoleArn, parseSessionName } from '../../core/aws/web-identity.ts';
import {
  boolean,
  bytes,
  choice,
  defineContract,
  globs,
  integer,
  list,
  parsed,
  secret,
  text,
} from '../../core/runner/contract.ts';
import { parseCacheRules, parseHeaderRules } from '../../core/site/header-rules.ts';
import { parsePrefix } from '../../core/site/prefix.ts';
import { parseSource } from './source.ts';

export const contract = defineContract({
  name: 'frontend-s3-deploy',
  title: 'Slipway frontend S3 deploy',
  description:
    'Puts a built frontend into S3 through OIDC so that every page a visitor gets has all its assets, at every moment of the deploy. Compares by content, sends assets before the pages that need them, keeps the assets of past releases for open tabs, and sets types, encodings and cache headers.',
  branding: { icon: 'upload-cloud', color: 'orange' },
  post: false,
  inputs: {
    source: parsed(parseSource, {
      description:
        'The folder to deploy, relative to the workspace, or `image: REFERENCE:/path` for a folder of an image in a registry, which is taken out without running it. An empty folder is refused.',
      required: true,
    }),
    platform: text({
      description: 'The platform of the image, when it has several: `os/architecture[/variant]`.',
      default: 'linux/amd64',
    }),
    'registry-username': text({
      description:
        "Username at the registry of the image. Without it, `registry-password` goes to GitHub's own registry (ghcr.io) alone.",
    }),
    'registry-password': secret({
      description: 'Password or token at the registry of the image.',
      default: '${{ github.token }}',
    }),
    bucket: text({ description: 'Name of the bucket, without `s3://`.', required: true }),
    prefix: parsed(parsePrefix, {
      description: 'Folder in the bucket; without it the site is at the root. Nothing outside it is read or changed.',
    }),
    region: parsed(parseRegion, {
      description:
        'Region of the bucket. Without it `AWS_REGION` or `AWS_DEFAULT_REGION`, and `us-east-1` for an `endpoint` of your own.',
    }),
    endpoint: parsed(parseEndpoint, {
      description:
        'Address of an S3-compatible server (MinIO, R2, Ceph). Without it `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, or Amazon.',
    }),
    'force-path-style': choice(['auto', 'true', 'false'], {
      description:
        'Whether the bucket stands in the path (`true`) or in the host name (`false`) of an address; `auto` is `false` for Amazon and `true` for other servers.',
      default: 'auto',
    }),
    'role-to-assume': parsed(parseRoleArn, {
      description:
        "ARN of a role that trusts this job's OIDC token; needs `permissions: id-token: write`. Its credentials stay inside this step. Without a role: `AWS_ACCESS_KEY_ID` and its fellows, else the SDK's default chain.",
    }),
    'role-session-name': parsed(parseSessionName, {
      description: "Name of the role's session in CloudTrail, 2 to 64 characters.",
      default: 'GitHubActions',
    }),
    'role-duration-seconds': integer({
      description: 'Life of the credentials in seconds, 900 to 43200. They are renewed when a deploy takes longer.',
      min: 900,
      max: 43_200,
      default: '3600',
    }),
    audience: text({
      description: "Audience of the OIDC token (`aud`), one of the identity provider's client ids.",
      default: 'sts.amazonaws.com',
    }),
    'sts-endpoint': parsed(parseEndpoint, {
      description: "Address of STS. Without it `AWS_ENDPOINT_URL_STS`, or the region's own.",
    }),
    delete: boolean({
      description:
        'Deletes objects below the prefix that no kept release refers to, after the new release is live. What was there before the first deploy counts as a release. Folders with a deploy of their own (previews) stay.',
      default: false,
    }),
    'keep-releases': integer({
      description:
        'With `delete`: how many releases before this one keep their files, so that open tabs go on working.',
      min: 0,
      max: 90,
      default: '3',
    }),
    exclude: globs({
      description: 'Globs of files that are neither sent nor deleted. One without a slash matches in every folder.',
    }),
    include: globs({ description: 'Globs that take files back in that `exclude` took out.' }),
    'cache-control': parsed(parseCacheRules, {
      description:
        'Lines of `GLOB: VALUE`; the first that matches wins. Others get: names with a fingerprint `public, max-age=31536000, immutable`, documents and service workers `no-cache`, the rest `public, max-age=300, must-revalidate`.',
    }),
    headers: parsed(parseHeaderRules, {
      description:
        'Lines of `GLOB: Name: value` for any header or metadata that S3 keeps, such as `**/*.pdf: Content-Disposition: attachment`; all that match apply.',
    }),
    'entry-documents': globs({
      description: 'Globs of what goes in after all assets, beside pages and service workers, which always do.',
      default: '/*.webmanifest\n/*.json',
    }),
    forbid: globs({
      description:
        'Globs of files that must not become public: one in the source fails the step before the first request.',
      default: '**/*.map\n**/.env*\n**/.git/**',
    }),
    'max-files': integer({ description: 'The most files a source may have.', min: 1, default: '100000' }),
    'max-bytes': bytes({ description: 'The most bytes a source may have.', default: '10GB' }),
    concurrency: integer({
      description:
        'The most requests at once, 1 to 64. Without it, 32 to begin with; fewer when the server asks to slow down, more when it keeps up.',
      min: 1,
      max: 64,
    }),
    'if-busy': choice(['wait', 'fail'], {
      description: 'What to do while another deploy holds the site.',
      default: 'wait',
    }),
    'distribution-id': parsed(parseDistributionId, {
      description: 'CloudFront distribution to invalidate when the new release is live.',
    }),
    invalidate: list({
      description:
        'With `distribution-id`: `changed` for the paths that changed (folded into wildcards when many), `all`, `off`, or a list of paths that begin with a slash.',
      default: 'changed',
    }),
    'dry-run': boolean({ description: 'Plans and reports, and writes nothing.', default: false }),
    url: text({ description: "The site's address, for the summary and the output `url`." }),
  },
  outputs: {
    uploaded: { description: 'How many files were sent, new or changed; files that only got new headers count.' },
    unchanged: { description: 'How many files were as they should be.' },
    deleted: { description: 'How many objects were deleted.' },
    bytes: { description: 'Bytes sent.' },
    release: { description: 'Id of the release that is live; the one before when nothing changed.' },
    url: { description: "The site's address: the input, or the start page's address in the bucket." },
    'invalidation-id': { description: 'Id of the CloudFront invalidation; empty when there was none.' },
    manifest: {
      description: 'JSON: bucket, key of the record in it, and the releases it keeps, newest first.',
    },
    plan: {
      description:
        'JSON: `release`, and the paths to `upload`, to `copy` (new headers alone) and to `delete`; at most 1,000 of each, with the whole count in `counts`.',
    },
  },
});
