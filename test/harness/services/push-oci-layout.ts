import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { request } from '../../../src/core/net/request.ts';
import type { Descriptor, LayoutImage } from './oci-layout.ts';

export interface PushTarget {
  /** `127.0.0.1:PORT`, spoken to over HTTP. */
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
  readonly auth?: { readonly username: string; readonly password: string };
}

/** Pushes the image of an OCI layout: its blobs, each in one request, then the manifest (distribution-spec 1.1). */
export async function pushOciLayout(folder: string, image: LayoutImage, target: PushTarget): Promise<void> {
  const base = `http://${target.host}/v2/${target.repository}`;
  const { auth } = target;
  const headers: Record<string, string> =
    auth === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` };
  const read = async ({ digest }: Descriptor) =>
    await readFile(path.join(folder, 'blobs/sha256', digest.slice('sha256:'.length)));
  for (const blob of image.blobs) {
    const known = await request({ method: 'HEAD', url: `${base}/blobs/${blob.digest}`, headers });
    if (known.status === 200) continue;
    const begun = expectStatus(
      await request({ method: 'POST', url: `${base}/blobs/uploads/`, headers }),
      202,
      'beginning an upload',
    );
    const upload = new URL(begun.headers['location'] ?? '', base);
    upload.searchParams.set('digest', blob.digest);
    const content = { ...headers, 'content-type': 'application/octet-stream' };
    expectStatus(
      await request({ method: 'PUT', url: upload.href, headers: content, body: await read(blob) }),
      201,
      `uploading ${blob.digest}`,
    );
  }
  const content = { ...headers, 'content-type': image.manifest.mediaType };
  const url = `${base}/manifests/${target.tag}`;
  expectStatus(
    await request({ method: 'PUT', url, headers: content, body: await read(image.manifest) }),
    201,
    `naming ${target.tag}`,
  );
}

function expectStatus<T extends { readonly status: number; readonly body: Buffer }>(
  response: T,
  status: number,
  what: string,
): T {
  if (response.status === status) return response;
  throw new Error(
    `${what}: the registry answered ${response.status} instead of ${status}: ${response.body.toString('utf8').slice(0, 500)}`,
  );
}
