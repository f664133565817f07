import { readYamlFile, type YamlFields } from '../../images/yaml-file.ts';
import { ConfigurationError } from '../../runner/errors.ts';
import { type ExpectedFile, whyNoPath } from './expected-file.ts';

/**
 * Reads a `.dvc` file: the MD5, size and path of each file it tracks. A tracked folder (`md5: ….dir`) has its list in
 * DVC's cache and not in the file: a ConfigurationError says so. MD5 shows that a file is whole, and not that nobody
 * made it to fit; `require: checksum` asks for more. Source: DVC's documentation, ".dvc Files".
 */
export function parseDvcFile(text: string, file: string): readonly ExpectedFile[] {
  const outputs = readYamlFile(text, file).items('outs');
  if (outputs.length === 0) throw new ConfigurationError(`"${file}" tracks no file`, { file });
  return outputs.map((fields) => readOutput(fields));
}

function readOutput(fields: YamlFields): ExpectedFile {
  const path = fields.text('path') ?? fields.refuse('path', 'the path of a file');
  const why = whyNoPath(path);
  if (why !== undefined) fields.refuse('path', `the path of a file below its folder: it ${why}`);
  const md5 = fields.text('md5')?.toLowerCase();
  if (md5?.endsWith('.dir') === true)
    fields.refuse(
      'md5',
      "that of a file: what a tracked folder holds stands in DVC's cache; list its files in a models.yml",
    );
  if (md5 === undefined || !/^[0-9a-f]{32}$/.test(md5)) return fields.refuse('md5', '32 hexadecimal digits');
  const size = fields.text('size');
  return {
    path,
    digest: { algorithm: 'md5', hex: md5 },
    ...(size !== undefined && /^\d{1,15}$/.test(size) ? { size: Number(size) } : {}),
    line: fields.place('path').line ?? 1,
  };
}
