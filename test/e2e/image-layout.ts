import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fieldOf, isRecord } from '../../src/core/runner/event.ts';

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
  const blobs = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
  return blobs
    .map((blob) => (blob[0] === 0x1f && blob[1] === 0x8b ? gunzipSync(blob) : blob).toString('latin1'))
    .join('\n');
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
