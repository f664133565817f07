import { createHash } from 'node:crypto';
import { type Answer, request } from '../net/request.ts';
import type { Environment } from '../runner/commands.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { fieldOf, isRecord } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';

/** An artifact of this workflow run. */
export interface Artifact {
  readonly name: string;
  /** Grows with every artifact: of two with one name, the higher is the newer. */
  readonly id: bigint;
  /** Bytes of its zip archive. */
  readonly size: number;
  /** `sha256:…` over its zip archive; undefined where the uploader told none. */
  readonly digest: string | undefined;
  /** The job that uploaded it, as the service knows it. */
  readonly job: string;
}

/** The artifacts of one workflow run, over all its jobs and attempts. */
export interface ArtifactService {
  /** Uploads a zip archive under a name; false when the run has an artifact of this name already. */
  upload(name: string, archive: Uint8Array): Promise<boolean>;
  list(): Promise<readonly Artifact[]>;
  /** The zip archive's bytes. Throws Error when it is larger than `maxBytes` or not what its digest says. */
  download(artifact: Artifact, maxBytes: number): Promise<Buffer>;
}

const SERVICE = 'twirp/github.actions.results.api.v1.ArtifactService';
/** Of the service's API, as @actions/artifact 6.2.1 names it on the wire. */
const VERSION = 7;
/** 500 artifacts a job is GitHub's limit, 256 jobs a matrix: far more than that is not read. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

/**
 * GitHub's artifact service by the run's own token: no permission and no input is needed.
 *
 * A client of our own for four calls: `@actions/artifact` bundles to 1.8 MB, half of what all six actions weigh together.
 * Source: actions/toolkit, packages/artifact (Twirp over JSON, then one Azure block blob).
 * Throws ConfigurationError where the runner gives no such service (GitHub Enterprise Server, a bare machine).
 */
export function createArtifactService(environment: Environment, log?: Log): ArtifactService {
  const { origin, token } = readService(environment);
  const ids = readBackendIds(token);
  const logged = log === undefined ? {} : { log };

  const call = (method: string, fields: Readonly<Record<string, unknown>>): Promise<Answer> =>
    request({
      url: `${origin}/${SERVICE}/${method}`,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ workflow_run_backend_id: ids.run, workflow_job_run_backend_id: ids.job, ...fields }),
      maxBytes: MAX_LIST_BYTES,
      ...logged,
    });

  return {
    async upload(name, archive) {
      const created = await call('CreateArtifact', { name, version: VERSION, mime_type: 'application/zip' });
      if (created.status === 409) return false;
      const url = textField(readAnswer('CreateArtifact', created), 'signed_upload_url');
      const put = await request({
        url,
        method: 'PUT',
        headers: {
          'x-ms-blob-type': 'BlockBlob',
          'x-ms-version': '2025-05-05',
          'content-type': 'application/zip',
          // What the download says it is, by which clients know that they must unpack it.
          'x-ms-blob-content-type': 'application/zip',
        },
        body: archive,
        ...logged,
      });
      if (put.status !== 201)
        throw new Error(`the artifact "${name}" could not be uploaded: the storage answered ${put.status}`);
      const hash = `sha256:${createHash('sha256').update(archive).digest('hex')}`;
      // 64-bit integers are texts in Protobuf's JSON mapping.
      readAnswer('FinalizeArtifact', await call('FinalizeArtifact', { name, size: String(archive.length), hash }));
      return true;
    },
    async list() {
      const body = readAnswer('ListArtifacts', await call('ListArtifacts', {}));
      const entries = fieldOf(body, 'artifacts') ?? [];
      if (!Array.isArray(entries)) throw new Error('the artifact service answered with a list that is none');
      return entries.map(readArtifact).filter((artifact) => artifact !== undefined);
    },
    async download(artifact, maxBytes) {
      if (artifact.size > maxBytes) throw new Error(`the artifact "${artifact.name}" is larger than ${maxBytes} bytes`);
      const fields = { name: artifact.name, workflow_job_run_backend_id: artifact.job };
      const url = textField(
        readAnswer('GetSignedArtifactURL', await call('GetSignedArtifactURL', fields)),
        'signed_url',
      );
      const answer = await request({ url, maxBytes, ...logged });
      if (answer.status !== 200) {
        throw new Error(
          `the artifact "${artifact.name}" could not be downloaded: the storage answered ${answer.status}`,
        );
      }
      const digest = `sha256:${createHash('sha256').update(answer.body).digest('hex')}`;
      if (artifact.digest !== undefined && artifact.digest !== digest) {
        throw new Error(`the artifact "${artifact.name}" is not what its digest says`);
      }
      return answer.body;
    },
  };
}

function readService(environment: Environment): { readonly origin: string; readonly token: string } {
  const address = environment['ACTIONS_RESULTS_URL'] ?? '';
  const token = environment['ACTIONS_RUNTIME_TOKEN'] ?? '';
  const url = URL.parse(address);
  if (url === null || token === '') {
    throw new ConfigurationError(
      'this runner has no artifact service (ACTIONS_RESULTS_URL is absent), so that builds cannot be handed from job to job: give the digests as "sources" instead of "from: builds"',
    );
  }
  return { origin: url.origin, token };
}

/** The run and the job, from the scope `Actions.Results:<run>:<job>` of the token's claims. */
function readBackendIds(token: string): { readonly run: string; readonly job: string } {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  let claims: unknown;
  try {
    claims = JSON.parse(payload);
  } catch (cause) {
    throw new Error('ACTIONS_RUNTIME_TOKEN is no JSON web token', { cause });
  }
  const scopes = fieldOf(claims, 'scp');
  const match = /(?:^| )Actions\.Results:([^: ]+):([^: ]+)(?: |$)/.exec(typeof scopes === 'string' ? scopes : '');
  const [, run, job] = match ?? [];
  if (run === undefined || job === undefined)
    throw new Error('ACTIONS_RUNTIME_TOKEN has no scope for the results of this run');
  return { run, job };
}

function readAnswer(method: string, answer: Answer): Readonly<Record<string, unknown>> {
  let body: unknown;
  try {
    body = JSON.parse(answer.body.toString('utf8'));
  } catch (cause) {
    throw new Error(`the artifact service answered ${answer.status} to ${method}, and not with JSON`, { cause });
  }
  if (answer.status !== 200 || !isRecord(body) || fieldOf(body, 'ok') === false) {
    const said = fieldOf(body, 'msg');
    throw new Error(
      `the artifact service answered ${answer.status} to ${method}${typeof said === 'string' ? `: ${said.slice(0, 300)}` : ''}`,
    );
  }
  return body;
}

function textField(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = fieldOf(body, name);
  if (typeof value !== 'string' || URL.parse(value) === null)
    throw new Error(`the artifact service answered without "${name}"`);
  return value;
}

function readArtifact(entry: unknown): Artifact | undefined {
  const name = fieldOf(entry, 'name');
  const id = String(fieldOf(entry, 'database_id'));
  const size = Number(fieldOf(entry, 'size') ?? 0);
  const job = fieldOf(entry, 'workflow_job_run_backend_id');
  const digest = fieldOf(entry, 'digest');
  if (typeof name !== 'string' || typeof job !== 'string' || !/^\d{1,19}$/.test(id) || !Number.isSafeInteger(size))
    return undefined;
  return { name, id: BigInt(id), size, job, digest: typeof digest === 'string' ? digest : undefined };
}
