import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { request } from '../../src/core/net/request.ts';
import { parseRepository } from '../../src/core/registry/reference.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { fieldOf, isRecord } from '../../src/core/runner/event.ts';
import type { ResultsService } from '../harness/standins/results-service.ts';

type Json = Readonly<Record<string, unknown>>;

/** What an image is, apart from times: for comparing two builds of one Dockerfile. */
export interface ImageFacts {
  readonly platforms: readonly string[];
  readonly configs: readonly Json[];
  readonly annotations: readonly unknown[];
  readonly layers: readonly (readonly string[])[];
  /** Predicate types, and of a provenance what the build was asked for. */
  readonly attestations: readonly unknown[];
}

/** Reads an OCI layout folder. */
export async function readImageFacts(layout: string): Promise<ImageFacts> {
  const [root] = listOf((await readJson(join(layout, 'index.json')))['manifests']);
  const images: { manifest: Json; config: Json }[] = [];
  const attestations: unknown[] = [];
  const annotations: unknown[] = [withoutNames(root?.['annotations'])];
  const visit = async (descriptor: Json): Promise<void> => {
    const content = await readBlob(layout, String(descriptor['digest']));
    const children = listOf(content['manifests']);
    if (children.length > 0) {
      annotations.push(content['annotations']);
      for (const child of children) await visit(child);
    } else if (fieldOf(descriptor, 'annotations', 'vnd.docker.reference.type') === 'attestation-manifest') {
      for (const layer of listOf(content['layers']))
        attestations.push(statementFacts(await readBlob(layout, String(layer['digest']))));
    } else {
      const config = await readBlob(layout, String(fieldOf(content, 'config', 'digest')));
      annotations.push(content['annotations']);
      images.push({ manifest: content, config });
    }
  };
  if (root !== undefined) await visit(root);
  return {
    platforms: images.map(({ config }) => `${String(config['os'])}/${String(config['architecture'])}`),
    configs: images.map(({ config }) => withoutTimes(config)),
    annotations,
    layers: images.map(({ manifest }) => listOf(manifest['layers']).map((layer) => String(layer['digest']))),
    attestations,
  };
}

/** All that a layout holds, unpacked, as one text to search in. */
export async function readEverything(layout: string): Promise<string> {
  const folder = join(layout, 'blobs', 'sha256');
  return textOf(await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name)))));
}

/** Blobs, unpacked where they are packed, as one text to search in. */
export function textOf(blobs: readonly Buffer[]): string {
  return blobs
    .map((blob) => (blob[0] === 0x1f && blob[1] === 0x8b ? gunzipSync(blob) : blob).toString('latin1'))
    .join('\n');
}

/** All that a registry holds under a digest, or all tags, of a repository, unpacked, as one text to search in. */
export async function readRepository(text: string, digest?: string): Promise<string> {
  const repository = parseRepository(text);
  const client = createRegistryClient();
  const blobs: Buffer[] = [];
  const visit = async (name: string): Promise<void> => {
    const { bytes } = (await client.findManifest(repository, name)) ?? { bytes: Buffer.from('{}') };
    blobs.push(bytes);
    const manifest: unknown = JSON.parse(bytes.toString('utf8'));
    for (const child of listOf(fieldOf(manifest, 'manifests'))) await visit(String(child['digest']));
    for (const blob of [fieldOf(manifest, 'config'), ...listOf(fieldOf(manifest, 'layers'))]) {
      const [digest, size] = [fieldOf(blob, 'digest'), fieldOf(blob, 'size')];
      if (typeof digest === 'string' && typeof size === 'number')
        blobs.push(await buffer(client.readBlob(repository, { digest, size })));
    }
  };
  for (const name of digest === undefined ? await client.listTags(repository) : [digest]) await visit(name);
  return textOf(blobs);
}

/** All that GitHub's cache holds, as a job with this environment gets it, unpacked, as one text to search in. */
export async function readCacheEntries(
  results: ResultsService,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const blobs = results.cacheEntries().map(async ({ key, version }) => {
    const asked = await request({
      method: 'POST',
      url: `${results.url}/twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL`,
      headers: {
        authorization: `Bearer ${environment['ACTIONS_RUNTIME_TOKEN'] ?? ''}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ key, version, restoreKeys: [] }),
    });
    const url = fieldOf(JSON.parse(asked.body.toString('utf8')), 'signed_download_url');
    return (await request({ url: String(url) })).body;
  });
  return textOf(await Promise.all(blobs));
}

function statementFacts(statement: Json): unknown {
  const parameters = fieldOf(statement, 'predicate', 'invocation', 'parameters');
  return {
    type: statement['predicateType'],
    builder: fieldOf(statement, 'predicate', 'builder', 'id'),
    parameters,
    materials: fieldOf(statement, 'predicate', 'materials'),
  };
}

function withoutTimes(config: Json): Json {
  const { created: _created, history, ...rest } = config;
  return { ...rest, history: listOf(history).map(({ created: _time, ...entry }) => entry) };
}

/** The names under which an image is put out are not the image's. */
function withoutNames(value: unknown): Json {
  const entries = isRecord(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter(([key]) => !/created$|ref\.name$|image\.name$/.test(key)));
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

async function readBlob(layout: string, digest: string): Promise<Json> {
  return readJson(join(layout, 'blobs', ...digest.split(':')));
}

async function readJson(path: string): Promise<Json> {
  const value: unknown = JSON.parse(await readFile(path, 'utf8'));
  return isRecord(value) ? value : {};
}
