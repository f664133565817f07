import { readYamlFile, type YamlFields } from '../../images/yaml-file.ts';
import { ConfigurationError } from '../../runner/errors.ts';
import { type ExpectedFile, whyNoPath } from './expected-file.ts';

/**
 * Reads a `.dvc` file: the MD5, size and path of each file and folder it tracks. A folder's MD5 is that of the list of its
 * files, or the files stand in the `.dvc` file themselves, as DVC writes them for remotes with versions. Without `hash`,
 * as DVC wrote before 3.0, the MD5 of a text is that with Unix's line ends.
 *
 * What is tracked by another name than an MD5 (the `etag` of a bucket, `checksum` of HDFS) cannot be held against the
 * bytes: a ConfigurationError. MD5 shows that a file is whole, and not that nobody made it to fit; `require: checksum`
 * asks for more. Source: DVC's documentation, ".dvc Files".
 */
export function parseDvcFile(text: string, file: string): readonly ExpectedFile[] {
  const outputs = readYamlFile(text, file).items('outs');
  if (outputs.length === 0) throw new ConfigurationError(`"${file}" tracks no file`, { file });
  return outputs.flatMap((fields) => {
    const files = fields.items('files');
    if (files.length === 0) return [readOutput(fields, 'path', '')];
    return files.map((each) => readOutput(each, 'relpath', `${readPath(fields, 'path')}/`, fields));
  });
}

function readOutput(fields: YamlFields, pathKey: 'path' | 'relpath', folder: string, output = fields): ExpectedFile {
  const path = readPath(fields, pathKey);
  const algorithm = algorithmOf(output);
  const foreign = ['etag', 'checksum'].find((key) => fields.get(key) !== undefined);
  const md5 = fields.text('md5')?.toLowerCase();
  if (md5 === undefined && foreign !== undefined)
    fields.refuse(foreign, 'an md5: what a store calls its copy says nothing of the bytes');
  const [, hex, folderMark] = /^([0-9a-f]{32})(\.dir)?$/.exec(md5 ?? '') ?? [];
  if (hex === undefined) return fields.refuse('md5', '32 hexadecimal digits');
  const size = fields.text('size');
  return {
    path: `${folder}${path}`,
    digest: { algorithm, hex },
    ...(folderMark === undefined ? {} : { isFolder: true }),
    ...(size !== undefined && /^\d{1,15}$/.test(size) ? { size: Number(size) } : {}),
    line: fields.place(pathKey).line ?? 1,
  };
}

function readPath(fields: YamlFields, key: 'path' | 'relpath'): string {
  const path = fields.text(key) ?? fields.refuse(key, 'the path of a file');
  const why = whyNoPath(path);
  if (why !== undefined) fields.refuse(key, `the path of a file below its folder: it ${why}`);
  return path;
}

function algorithmOf(fields: YamlFields): 'md5' | 'md5-dos2unix' {
  const name = fields.text('hash') ?? 'md5-dos2unix';
  return name === 'md5' || name === 'md5-dos2unix' ? name : fields.refuse('hash', 'md5 or md5-dos2unix');
}
