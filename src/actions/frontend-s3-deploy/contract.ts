import { parseAccountIds } from '../../core/aws/account-guard.ts';
import { parseDistributionAlias, parseDistributionId } from '../../core/aws/distribution-names.ts';
import { parseEndpoint, parseRegion } from '../../core/aws/regions.ts';
import { parseRoleArn, parseSessionName } from '../../core/aws/role-credentials.ts';
import {
  boolean,
  bytes,
  choice,
  defineContract,
  globs,
  integer,
  list,
  map,
  parsed,
  secret,
  text,
} from '../../core/runner/contract.ts';
import { COMPRESSIONS, IF_BUSY, PRECOMPRESSED } from '../../core/site/deploy-choices.ts';
import { parseCacheRules, parseHeaderRules } from '../../core/site/header-rules.ts';
import { parsePrefix } from '../../core/site/prefix.ts';
import { parsePromotion, parseRelease } from './past-release.ts';
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
        'The folder to deploy, relative to the workspace, or `image: REFERENCE:/path` for a folder of an image in a registry, which is taken out without running it. An empty folder is refused. Needed unless `rollback-to` or `promote` says what to deploy, or a preview is removed.',
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
    preview: boolean({
      description:
        'On pull requests, deploys to the folder `pr-NUMBER` below the prefix, and removes that folder when the pull request is closed. Other events deploy as without it.',
      default: false,
    }),
    'rollback-to': parsed(parseRelease, {
      description:
        'Instead of `source`: the release of this site to go back to, by its id, or `previous`. Its files come out of the bucket.',
    }),
    promote: parsed(parsePromotion, {
      description:
        "Instead of `source`: `FOLDER/RELEASE`, the release of another site in the bucket (a preview, a staging folder) to put here, copied on the server; `/RELEASE` for the site at the root. `live` stands for a site's live release.",
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
    'role-chaining': boolean({
      description:
        "Assumes the role with the environment's credentials and not with the job's OIDC token: a role that trusts another role. Such a session lasts an hour at most.",
      default: false,
    }),
    'session-tags': map({
      description: 'With `role-chaining`: tags of the session, `key=value` a line.',
    }),
    'allowed-account-ids': parsed(parseAccountIds, {
      description:
        "Accounts in which the credentials may be, 12 digits each; in any other the step fails before it touches the bucket. A role's account is known by its ARN; other credentials cost one request to STS.",
    }),
    'mask-account-id': boolean({
      description: "Masks the account's number in the log.",
      default: false,
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
        'How many releases before this one can be gone back to; with `delete`, their files stay, so that open tabs go on working. With 0, nothing is kept for a rollback.',
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
    precompressed: choice(PRECOMPRESSED, {
      description:
        'What becomes of `app.js.br` or `app.js.gz` beside `app.js`: `beside` sends all, each with its type and `Content-Encoding`; `br` or `gz` sends the compressed one under the plain name; `off` takes them for downloads.',
      default: 'beside',
    }),
    compress: choice(COMPRESSIONS, {
      description:
        'Compresses text, JSON, SVG, WASM and the like of 1 KiB and more as they are sent, with their `Content-Encoding`: `br` (every browser, over HTTPS) or `gzip`.',
      default: 'off',
    }),
    'clean-urls': boolean({
      description:
        'Puts `about.html` also at `about`, and `docs/index.html` at `docs/`, for servers that do not rewrite URLs.',
      default: false,
    }),
    'spa-fallback': list({
      description:
        'Further keys for the start page: `404.html` or `200.html` where the server shows that for unknown paths, or the routes of the app, such as `settings/profile`, which then answer 200.',
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
        'The most requests at once, 1 to 64. Without it, 64; fewer when the server asks to slow down, and more again when it keeps up.',
      min: 1,
      max: 64,
    }),
    'if-busy': choice(IF_BUSY, {
      description:
        'What to do while another deploy holds the site: `wait` for it, `fail`, or `supersede-older`, by which the later run goes on and the older one stops.',
      default: 'wait',
    }),
    'distribution-id': parsed(parseDistributionId, {
      description: 'CloudFront distribution to invalidate when the new release is live.',
    }),
    'distribution-alias': parsed(parseDistributionAlias, {
      description:
        'Instead of `distribution-id`: the domain name by which to find the distribution; needs `cloudfront:ListDistributions`.',
    }),
    invalidate: list({
      description:
        'With a distribution: `changed` for the paths that changed (folded into wildcards when many), `all`, `off`, or a list of paths that begin with a slash.',
      default: 'changed',
    }),
    wait: boolean({
      description:
        'Waits until the invalidation is carried out everywhere, up to 15 minutes; needs `cloudfront:GetInvalidation`.',
      default: false,
    }),
    'dry-run': boolean({ description: 'Plans and reports, and writes nothing.', default: false }),
    url: text({
      description:
        "The site's address, for the summary and the output `url`. In a preview, `{preview}` in it stands for `pr-NUMBER`, which else is added to its path.",
    }),
  },
  outputs: {
    uploaded: {
      description: 'How many files were put there, new or changed; files that only got new headers count.',
    },
    unchanged: { description: 'How many files were as they should be.' },
    deleted: { description: 'How many objects were deleted.' },
    bytes: { description: 'Bytes sent.' },
    release: { description: 'Id of the release that is live; the one before when nothing changed. For `rollback-to`.' },
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
