import type { BlockBlobs } from './block-blobs.ts';
import type { RuntimeToken } from './runtime-token.ts';
import { TwirpError, type TwirpMessage } from './twirp.ts';

export interface Artifact {
  readonly id: number;
  readonly runId: string;
  readonly jobId: string;
  readonly name: string;
  readonly mimeType: string;
  readonly createdAt: string;
  /** Path of the blob that holds the bytes. */
  readonly blob: string;
  /** Bytes; undefined while the upload is not finalized: such an artifact is listed nowhere. */
  readonly size?: number;
  /** `sha256:…` as the client gave it. */
  readonly digest?: string;
}

export interface ArtifactServiceOptions {
  readonly blobs: BlockBlobs;
  readonly signedUrl: (blob: string, permission: 'r' | 'w', contentDisposition?: string) => string;
}

export interface ArtifactService {
  readonly artifacts: () => readonly Artifact[];
  readonly call: (method: string, message: TwirpMessage, token: RuntimeToken) => Promise<object>;
}

export function createArtifactService({ blobs, signedUrl }: ArtifactServiceOptions): ArtifactService {
  let artifacts: Artifact[] = [];
  let lastId = 0;

  /** Artifacts belong to a workflow run: its jobs see each other's, another run's token sees none. */
  const named = (runId: string, name: string) =>
    artifacts.find((artifact) => artifact.runId === runId && artifact.name === name);

  function uploaded(runId: string, name: string): Artifact {
    const artifact = named(runId, name);
    if (artifact?.size === undefined) throw new TwirpError('not_found', 'artifact not found');
    return artifact;
  }

  function create(message: TwirpMessage, { runId, jobId }: RuntimeToken): object {
    const name = message.text('name');
    if (name === '' || /["<>|*?\r\n\\/:]/.test(name)) throw new TwirpError('invalid_argument', 'name is not valid');
    if (named(runId, name) !== undefined) {
      throw new TwirpError('already_exists', 'an artifact with this name already exists on the workflow run');
    }
    lastId += 1;
    const blob = `/actions-results/artifacts/${lastId}`;
    const mimeType = message.text('mime_type') || 'application/zip';
    artifacts.push({ id: lastId, runId, jobId, name, mimeType, createdAt: new Date().toISOString(), blob });
    return { ok: true, signed_upload_url: signedUrl(blob, 'w') };
  }

  function finalize(message: TwirpMessage, { runId }: RuntimeToken): object {
    const artifact = named(runId, message.text('name'));
    if (artifact === undefined) throw new TwirpError('not_found', 'artifact not found');
    const size = blobs.size(artifact.blob);
    if (size === undefined || size !== message.integer('size')) {
      throw new TwirpError('invalid_argument', `size does not match the ${size ?? 0} bytes that were uploaded`);
    }
    const digest = message.text('hash');
    const finalized = { ...artifact, size, ...(digest !== '' && { digest }) };
    artifacts = artifacts.map((other) => (other === artifact ? finalized : other));
    return { ok: true, artifact_id: String(artifact.id) };
  }

  function list(message: TwirpMessage, { runId }: RuntimeToken): object {
    const name = message.text('name_filter');
    const id = message.integer('id_filter');
    return {
      artifacts: artifacts
        .filter((artifact) => artifact.runId === runId && artifact.size !== undefined)
        .filter((artifact) => (name === '' || artifact.name === name) && (id === undefined || artifact.id === id))
        .map((artifact) => ({
          workflow_run_backend_id: artifact.runId,
          workflow_job_run_backend_id: artifact.jobId,
          database_id: String(artifact.id),
          name: artifact.name,
          size: String(artifact.size),
          created_at: artifact.createdAt,
          ...(artifact.digest !== undefined && { digest: artifact.digest }),
        })),
    };
  }

  function signedArtifactUrl(message: TwirpMessage, { runId }: RuntimeToken): object {
    const { blob, name, mimeType } = uploaded(runId, message.text('name'));
    const fileName = mimeType === 'application/zip' ? `${name}.zip` : name;
    const disposition = `attachment; filename="${fileName}"; filename*=UTF-8''${encodeURIComponent(fileName)}`;
    return { name, signed_url: signedUrl(blob, 'r', disposition) };
  }

  async function remove(message: TwirpMessage, { runId }: RuntimeToken): Promise<object> {
    const artifact = uploaded(runId, message.text('name'));
    artifacts = artifacts.filter((other) => other !== artifact);
    await blobs.remove(artifact.blob);
    return { ok: true, artifact_id: String(artifact.id) };
  }

  return {
    artifacts: () => artifacts,
    call: async (method, message, token) => {
      if (message.text('workflow_run_backend_id') !== token.runId) {
        throw new TwirpError('permission_denied', 'the token belongs to another workflow run');
      }
      if (method === 'CreateArtifact') return create(message, token);
      if (method === 'FinalizeArtifact') return finalize(message, token);
      if (method === 'ListArtifacts') return list(message, token);
      if (method === 'GetSignedArtifactURL') return signedArtifactUrl(message, token);
      if (method === 'DeleteArtifact') return remove(message, token);
      throw new TwirpError('bad_route', `no handler for ArtifactService/${method}`);
    },
  };
}
