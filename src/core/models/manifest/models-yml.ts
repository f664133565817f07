import { stringify } from 'yaml';
import { readYamlFile, type YamlFields } from '../../images/yaml-file.ts';
import { ConfigurationError } from '../../runner/errors.ts';
import { parseBytes } from '../../runner/input-grammar.ts';
import { MODEL_FORMATS } from '../model-finding.ts';
import { type ExpectedFile, whyNoPath } from './expected-file.ts';

const KEYS = ['path', 'sha256', 'sha512', 'size', 'format', 'url', 'licence', 'allow'] as const;

/**
 * Reads a `models.yml`: under `models` a list of files with what is expected of each. An unknown key, a digest that is
 * none, a path out of the folder and a file that is there twice are ConfigurationErrors at their line.
 */
export function parseModelsYml(text: string, file: string): readonly ExpectedFile[] {
  const root = readYamlFile(text, file);
  root.refuseUnknownKeys(['models'], 'a list of models');
  const entries = root.items('models').map((fields) => readEntry(fields, file));
  if (entries.length === 0) throw new ConfigurationError(`"${file}" lists no model`, { file });
  const seen = new Map<string, number>();
  for (const { path, line } of entries) {
    const before = seen.get(path);
    if (before !== undefined)
      throw new ConfigurationError(`"${path}" is listed twice (lines ${before} and ${line})`, { file, line });
    seen.set(path, line);
  }
  return entries;
}

function readEntry(fields: YamlFields, file: string): ExpectedFile {
  fields.refuseUnknownKeys(KEYS, 'a model');
  const line = fields.place('path').line ?? 1;
  const path = fields.text('path') ?? fields.refuse('path', 'the path of a file');
  const why = whyNoPath(path);
  if (why !== undefined) fields.refuse('path', `the path of a file below the folder of "${file}": it ${why}`);
  const size = fields.text('size');
  const format = fields.text('format');
  const url = fields.text('url');
  const licence = fields.text('licence');
  if (format !== undefined && !MODEL_FORMATS.some((known) => known === format))
    fields.refuse('format', `one of ${MODEL_FORMATS.join(', ')}`);
  if (url !== undefined && !/^https?:\/\/[^\s]+$/.test(url))
    fields.refuse('url', 'an address that starts with https://');
  return {
    path: path.replace(/^(?:\.\/)+/, ''),
    digest: readDigest(fields),
    ...(size === undefined ? {} : { size: parseBytes(size) }),
    ...(format === undefined ? {} : { format }),
    ...(url === undefined ? {} : { url }),
    ...(licence === undefined ? {} : { licence }),
    allow: fields.list('allow'),
    line,
  };
}

function readDigest(fields: YamlFields): ExpectedFile['digest'] {
  const [sha256, sha512] = [fields.text('sha256')?.toLowerCase(), fields.text('sha512')?.toLowerCase()];
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) fields.refuse('sha256', '64 hexadecimal digits');
  if (sha512 !== undefined && !/^[0-9a-f]{128}$/.test(sha512)) fields.refuse('sha512', '128 hexadecimal digits');
  if (sha256 !== undefined) return { algorithm: 'sha256', hex: sha256 };
  return sha512 === undefined ? undefined : { algorithm: 'sha512', hex: sha512 };
}

/** What `write-manifest` says of one file. */
export interface WrittenModel {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  readonly format: string;
  readonly url?: string | undefined;
  readonly licence?: string | undefined;
  readonly allow?: readonly string[] | undefined;
}

/** A `models.yml` that `parseModelsYml` reads back to the same, in the order of the paths. */
export function formatModelsYml(models: readonly WrittenModel[]): string {
  const sorted = [...models].sort((a, b) => (a.path < b.path ? -1 : 1));
  const entries = sorted.map(({ path, sha256, size, format, url, licence, allow = [] }) => ({
    path,
    sha256,
    size,
    ...(MODEL_FORMATS.some((known) => known === format) ? { format } : {}),
    ...(url === undefined ? {} : { url }),
    ...(licence === undefined ? {} : { licence }),
    ...(allow.length === 0 ? {} : { allow: [...allow] }),
  }));
  return stringify({ models: entries }, { lineWidth: 0 });
}
