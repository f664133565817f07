import { readCompressed } from './archive/compressed-model.ts';
import type { Compression } from './archive/compression.ts';
import { detectCompression } from './archive/compression.ts';
import { readTarModel } from './archive/tar-model.ts';
import type { Unpacked } from './archive/unpacked-contents.ts';
import { endsAsZip } from './archive/zip-archive.ts';
import { readZipModel, type StoredContent, type ZipReport } from './archive/zip-model.ts';
import type { ByteSource } from './byte-source.ts';
import { detectFormat } from './detect-format.ts';
import { readModelJson } from './formats/chat-template.ts';
import { readGguf } from './formats/gguf.ts';
import { hdf5Start, readHdf5 } from './formats/hdf5.ts';
import { readNumpy } from './formats/numpy-file.ts';
import { readOnnx } from './formats/onnx.ts';
import { readSafetensors } from './formats/safetensors.ts';
import { readTensorflow } from './formats/tensorflow.ts';
import { readTflite } from './formats/tflite.ts';
import type { FormatReport, ModelFinding, ModelFormat } from './model-finding.ts';
import { interpretPickle } from './pickle/interpreter.ts';
import { readStackedPickles } from './pickle/stacked-pickles.ts';
import { ReadBudget, type ReadContext } from './read-context.ts';

/** What was read, and the checksums of stored contents that are still to be held against the bytes. */
export interface ModelReport extends FormatReport {
  readonly stored: readonly StoredContent[];
}

/**
 * Reads a model file by what its bytes are, never by its name, and says what loading it could do. Pure but for reading
 * the source; nothing is executed. Bounded in time and memory whatever the file says of itself.
 *
 * `allowed` holds the imports (`module.name`, `module.*`) that this model may make besides the harmless ones, and
 * `unpacked` the contents that were unpacked beforehand.
 */
export function readModel(
  source: ByteSource,
  allowed: ReadonlySet<string>,
  unpacked: ReadonlyMap<number, Unpacked> = new Map(),
  budget: ReadBudget = new ReadBudget(),
): ModelReport {
  const context = createContext(allowed, unpacked, budget, 0);
  const format = detectFormat(source);
  const report: FormatReport & Partial<ZipReport> = readAs(format, source, context);
  const findings = [...report.findings, ...hiddenContents(format, source, context)];
  return { ...report, findings: distinct(findings), stored: report.stored ?? [] };
}

function createContext(
  allowed: ReadonlySet<string>,
  unpacked: ReadonlyMap<number, Unpacked>,
  budget: ReadBudget,
  depth: number,
): ReadContext {
  return {
    allowed,
    depth,
    budget,
    unpacked,
    readNested: (source, name) => readNested(source, name, createContext(allowed, new Map(), budget, depth + 1)),
  };
}

function readAs(format: ModelFormat, source: ByteSource, context: ReadContext): FormatReport {
  switch (format) {
    case 'empty':
      return bad(format, 'mismatch', 'the file is empty');
    case 'git-lfs-pointer':
      return bad(format, 'mismatch', 'this is a git-lfs pointer, not the file: check out with "lfs: true"');
    case 'html':
      return bad(
        format,
        'mismatch',
        'this is an HTML page, not a model: the download answered with an error or a login',
      );
    case 'safetensors':
      return readSafetensors(source);
    case 'gguf':
      return readGguf(source, context);
    case 'onnx':
      return readOnnx(source, context);
    case 'saved-model':
    case 'tensorflow-graph':
      return readTensorflow(source, format, context);
    case 'tflite':
      return readTflite(source, context);
    case 'hdf5':
    case 'keras':
      return readHdf5(source, hdf5Start(source) ?? 0, context);
    case 'numpy':
      return readNumpy(source, context);
    case 'zip':
    case 'pytorch':
    case 'torchscript':
      return readZipModel(source, context);
    case 'tar':
    case 'pytorch-tar':
      return readTarModel(source, context);
    case 'compressed':
      return readCompressed(source, compressionOf(source), context);
    case 'json':
      return readModelJson(source);
    case 'pytorch-legacy':
    case 'pickle':
      return readStackedPickles(source, format === 'pytorch-legacy', context);
    case 'unknown':
      return bad(format, 'suspicious', 'the format is not known, and nothing shows that loading the file is harmless');
  }
}

/** Names under which loaders look for pickles. */
const PICKLE_NAME = /\.(?:pkl|pickle|p|joblib)$/i;

/**
 * A content of an archive. What has a magic number is read as that; a pickle by its name is followed to its end. For the
 * rest, weights and texts, a payload may hide under any name: weights read as a pickle break off, and their first bytes
 * may by chance look like an import, but a name known to be dangerous does not come about by chance.
 */
function readNested(source: ByteSource, name: string, context: ReadContext): FormatReport {
  const format = detectFormat(source);
  if (PICKLE_NAME.test(name) || name === '') {
    const isPickle = format === 'pickle' || format === 'unknown' || format === 'json';
    return isPickle && PICKLE_NAME.test(name)
      ? readStackedPickles(source, false, context)
      : readAs(format, source, context);
  }
  if (HAS_MAGIC.has(format)) return readAs(format, source, context);
  if (format === 'json' && /(?:tokenizer_config|chat_template)\.json$/.test(name)) return readModelJson(source);
  return { format, findings: dangerousImports(source, context) };
}

const HAS_MAGIC: ReadonlySet<ModelFormat> = new Set([
  'gguf',
  'hdf5',
  'numpy',
  'zip',
  'tar',
  'compressed',
  'pytorch-legacy',
  'tflite',
]);

/**
 * What other loaders would see in the same bytes: an archive that ends the file without starting it, and a pickle that
 * starts like another format. Weights cannot look like this by chance, so that a harmless file has none of it.
 */
function hiddenContents(format: ModelFormat, source: ByteSource, context: ReadContext): readonly ModelFinding[] {
  if (format === 'empty' || format === 'pickle' || format === 'pytorch-legacy')
    return hiddenZip(format, source, context);
  return [...dangerousImports(source, context), ...hiddenZip(format, source, context)];
}

function hiddenZip(format: ModelFormat, source: ByteSource, context: ReadContext): readonly ModelFinding[] {
  if (format === 'zip' || !endsAsZip(source)) return [];
  const { findings } = readZipModel(source, context);
  // TensorFlow Lite's metadata is a zip behind the model (its "associated files").
  if (format === 'tflite') return findings.filter(({ severity }) => severity === 'dangerous');
  const message = `it is ${format} and a zip archive in one, and loaders differ in which they see`;
  return [{ severity: 'suspicious', rule: 'polyglot', message }, ...findings];
}

function dangerousImports(source: ByteSource, context: ReadContext): readonly ModelFinding[] {
  return interpretPickle(source, 0, context).findings.filter(
    ({ severity, rule }) => severity === 'dangerous' && rule === 'pickle-import',
  );
}

function compressionOf(source: ByteSource): Compression {
  const compression = detectCompression(source.read(0, 4096));
  if (compression === undefined) throw new Error('the file was found to be compressed, and then was not');
  return compression;
}

function distinct(findings: readonly ModelFinding[]): readonly ModelFinding[] {
  const keyed = findings.map((each): [string, ModelFinding] => [
    `${each.entry}\n${each.offset}\n${each.message}`,
    each,
  ]);
  return [...new Map(keyed).values()];
}

function bad(format: ModelFormat, severity: ModelFinding['severity'], message: string): FormatReport {
  return { format, findings: [{ severity, rule: 'format', message }] };
}
