import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { BaseImageName } from './services/base-image-definitions.ts';
import { publishBaseImages } from './services/base-images.ts';
import type { ProgressLog } from './services/child-process.ts';
import { type Engine, startEngine } from './services/docker-engine.ts';
import { type EmbeddedS3, startEmbeddedS3 } from './services/embedded-s3.ts';
import { type Registry, startRegistry } from './services/registry.ts';
import { type GithubApi, startGithubApi } from './standins/github-api.ts';
import { type OidcIssuer, startOidcIssuer } from './standins/oidc-issuer.ts';
import { type ResultsService, startResultsService } from './standins/results-service.ts';
import { type Sts, startSts } from './standins/sts.ts';
import type { JobFacts } from './workflow/run-settings.ts';

export interface WorldOptions {
  /** Empty or absent: everything the services write is below it. */
  readonly folder: string;
  /** `owner/name` of the repository whose workflows run. */
  readonly repository: string;
  /** `main` unless told. */
  readonly defaultBranch?: string;
  /** What the registry holds for an engine that is started here: `HUB` unless told. */
  readonly images?: readonly HubImage[];
  readonly log: ProgressLog;
}

export interface HubImage {
  readonly name: BaseImageName;
  /** Under Docker Hub's own name: `library/python:3.10-slim`. */
  readonly as: string;
}

/** All that a workflow run needs around it on a machine that has nothing. */
export interface World extends AsyncDisposable {
  readonly engine: Engine;
  readonly registry: Registry;
  readonly s3: EmbeddedS3;
  readonly api: GithubApi;
  readonly results: ResultsService;
  readonly issuer: OidcIssuer;
  readonly sts: Sts;
  /** The repository's variables, as its owner would set them: where the registry, the bucket and the role are. */
  readonly vars: Readonly<Record<string, string>>;
  /** What the runner of this job has in its environment, for a run on `ref`. */
  environmentOf(job: JobFacts, run: { readonly ref: string; readonly runId: number }): Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const BUCKET = 'safety-site';
const ROLE = 'arn:aws:iam::123456789012:role/deploy-site';

/** The images that the Dockerfiles of `npm start`'s example start from; a registry stands in for the hub. */
export const HUB: readonly HubImage[] = [
  { name: 'python', as: 'library/python:3.10-slim' },
  { name: 'node', as: 'library/node:18-alpine' },
  { name: 'nginx', as: 'library/nginx:alpine' },
  { name: 'alpine', as: 'library/alpine:3.19' },
];

/** Those of the other examples. */
export const EXAMPLES_HUB: readonly HubImage[] = [
  { name: 'rust', as: 'library/rust:slim-bullseye' },
  { name: 'debian-slim', as: 'library/debian:bullseye-slim' },
  { name: 'python', as: 'library/python:3.10' },
  { name: 'python', as: 'library/python:3.10-slim-buster' },
  { name: 'python', as: 'library/python:3.11.9-bullseye' },
  { name: 'debian-slim', as: 'tensorflow/tensorflow:2.9.2' },
  { name: 'debian-slim', as: 'tensorflow/tensorflow:2.9.2-gpu' },
  { name: 'node', as: 'library/node:22' },
  { name: 'alpine', as: 'library/alpine:latest' },
];

/**
 * Starts a real Docker Engine, a real registry and an S3 server, and the stand-ins for what only GitHub and AWS have.
 * What was started is stopped again when one of them does not come up.
 */
export async function startWorld({
  folder,
  repository,
  defaultBranch = 'main',
  images = HUB,
  log,
}: WorldOptions): Promise<World> {
  await using started = new AsyncDisposableStack();
  await mkdir(folder, { recursive: true });
  const below = (name: string): string => path.join(folder, name);

  const registry = started.use(await startRegistry({ folder: below('registry'), log }));
  await publishBaseImages({ registry, images, log });
  const engine = started.use(await startEngine({ folder: below('engine'), mirror: `http://${registry.host}`, log }));
  const s3 = started.use(await startEmbeddedS3({ folder: below('s3'), buckets: [BUCKET] }));
  const issuer = started.use(
    await startOidcIssuer({ claims: { repository, sub: `repo:${repository}:ref:refs/heads/${defaultBranch}` } }),
  );
  const sts = started.use(
    await startSts({
      issuer: issuer.issuer,
      roles: [{ arn: ROLE, audience: 'sts.amazonaws.com', subject: `repo:${repository}:*` }],
      credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey, sessionToken: 'session' },
    }),
  );
  const api = started.use(
    await startGithubApi({
      repositories: [
        { fullName: repository, defaultBranch, description: 'Sees who wears no helmet', license: 'Apache-2.0' },
      ],
    }),
  );
  const results = started.use(await startResultsService());
  const running = started.move();

  return {
    engine,
    registry,
    s3,
    api,
    results,
    issuer,
    sts,
    vars: { REGISTRY: registry.host, SITE_BUCKET: BUCKET, SITE_ROLE: ROLE },
    environmentOf: (job, run) => ({
      ...engine.environment,
      GITHUB_API_URL: api.url,
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_ENDPOINT_URL_STS: sts.url,
      ...results.environment({
        runId: `run-${run.runId}`,
        jobId: job.name.replace(/[^\w-]+/g, '-'),
        scopes: [{ scope: run.ref, permission: 3 }],
      }),
      // As on GitHub, only a job that may ask for a token is told where.
      ...(job.permissions['id-token'] === 'write' ? issuer.environment() : {}),
    }),
    stop: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
