import { describe, expect, test } from 'vitest';
import { type ResultsService, startResultsService } from '../../../harness/standins/results-service.ts';
import { call, put } from './results-service-calls.ts';

describe('artifacts', () => {
  const ids = { workflow_run_backend_id: 'run-1', workflow_job_run_backend_id: 'job-1' };

  async function uploadArtifact(service: ResultsService, name: string, content: string) {
    const created = await call(service, 'CreateArtifact', { ...ids, name, version: 7, mime_type: 'application/zip' });
    await put(created.body.signed_upload_url, content, { 'x-ms-blob-content-type': 'application/zip' });
    return call(service, 'FinalizeArtifact', { ...ids, name, size: String(content.length), hash: 'sha256:ab' });
  }

  test('an artifact is created, finalized, listed, downloaded and deleted', async () => {
    await using service = await startResultsService();
    expect((await uploadArtifact(service, 'builds', 'zip')).body).toEqual({ ok: true, artifact_id: '1' });
    await uploadArtifact(service, 'other', 'zip');
    const listed = await call(service, 'ListArtifacts', { ...ids, name_filter: 'builds' });
    expect(listed.body.artifacts).toEqual([
      {
        ...ids,
        database_id: '1',
        name: 'builds',
        size: '3',
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        digest: 'sha256:ab',
      },
    ]);
    expect((await call(service, 'ListArtifacts', { ...ids, id_filter: '2' })).body.artifacts[0].name).toBe('other');
    const signed = await call(service, 'GetSignedArtifactURL', { ...ids, name: 'builds' });
    const download = await fetch(signed.body.signed_url);
    expect([await download.text(), download.headers.get('content-type')]).toEqual(['zip', 'application/zip']);
    expect(download.headers.get('content-disposition')).toContain('filename="builds.zip"');
    expect((await call(service, 'DeleteArtifact', { ...ids, name: 'builds' })).body).toEqual({
      ok: true,
      artifact_id: '1',
    });
    expect((await call(service, 'ListArtifacts', ids)).body.artifacts.length).toBe(1);
    expect((await fetch(signed.body.signed_url)).status).toBe(404);
  });

  test('a name is taken once a run; another run has its own, and its token cannot look into this one', async () => {
    await using service = await startResultsService();
    const other = service.mintRuntimeToken({ runId: 'run-2' });
    await uploadArtifact(service, 'builds', 'zip');
    expect((await call(service, 'CreateArtifact', { ...ids, name: 'builds' })).status).toBe(409);
    expect((await call(service, 'ListArtifacts', ids, other)).status).toBe(403);
    const inOther = { ...ids, workflow_run_backend_id: 'run-2' };
    expect((await call(service, 'ListArtifacts', inOther, other)).body.artifacts).toEqual([]);
    expect((await call(service, 'CreateArtifact', { ...inOther, name: 'builds' }, other)).status).toBe(200);
  });

  test('unfinished and unknown artifacts are not found, bad names are refused', async () => {
    await using service = await startResultsService();
    await call(service, 'CreateArtifact', { ...ids, name: 'half' });
    expect((await call(service, 'ListArtifacts', ids)).body.artifacts).toEqual([]);
    expect((await call(service, 'GetSignedArtifactURL', { ...ids, name: 'half' })).status).toBe(404);
    expect((await call(service, 'DeleteArtifact', { ...ids, name: 'none' })).status).toBe(404);
    expect((await call(service, 'CreateArtifact', { ...ids, name: 'a/b' })).status).toBe(400);
  });
});
