import { type ByteSource, bufferSource, slice } from '../byte-source.ts';
import { judgeKerasConfig } from '../formats/keras-config.ts';
import { readTorchscriptCode } from '../formats/torchscript.ts';
import type { FormatReport, ModelFinding, ModelFormat } from '../model-finding.ts';
import { MAX_DEPTH, type ReadContext } from '../read-context.ts';
import { MAX_IN_MEMORY } from './unpacked-contents.ts';
import { readZipEntries, readZipEntry, type ZipEntry, ZipError } from './zip-archive.ts';
import { checkLayout, sharesBytes } from './zip-layout.ts';

/** Deflate reaches 1032, and numpy's arrays of zeros do; Keras refuses more than 100. */
const MAX_RATIO = 1000;
const MAX_CONFIG = 32 * 1024 * 1024;

/** A stored content whose checksum is held against its bytes while the file is hashed: they are not read twice. */
export interface StoredContent {
  readonly start: number;
  readonly size: number;
  readonly crc: number;
  readonly entry: string;
}

export interface ZipReport extends FormatReport {
  readonly stored: readonly StoredContent[];
}

/**
 * Reads a zip that holds a model: PyTorch (`<root>/data.pkl`), TorchScript, Keras, numpy's `.npz`, or anything else.
 *
 * Every entry is read by what its bytes are, and every pickle of it followed, whatever its name. Entries that two readers
 * would see differently, that are encrypted, or that cannot be read are findings. The checksums of stored entries are
 * handed back for the caller to hold against the bytes.
 */
export function readZipModel(source: ByteSource, context: ReadContext): ZipReport {
  let entries: readonly ZipEntry[];
  try {
    entries = readZipEntries(source);
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return refuse(`the archive is not what every reader sees: ${error.message}`);
  }
  if (context.depth >= MAX_DEPTH) return refuse('archives are nested deeper than is read');
  const format = formatOf(entries);
  const stored: StoredContent[] = [];
  const findings: ModelFinding[] = [...checkLayout(source, entries)];
  // A few bytes that 200,000 entries share would be read 200,000 times.
  if (sharesBytes(entries)) return { format, findings, stored };
  const totals = { tensors: 0, parameters: 0 };
  for (const entry of entries) {
    if (entry.name.endsWith('/') && entry.size === 0) continue;
    if (context.budget.isLate) {
      findings.push({ severity: 'suspicious', rule: 'zip', message: context.budget.whyLate, entry: entry.name });
      break;
    }
    const report = readEntry(source, entry, format, context, stored);
    totals.tensors += report.tensors ?? 0;
    totals.parameters += report.parameters ?? 0;
    findings.push(...report.findings.map((finding) => ({ ...finding, entry: entryPath(entry, finding) })));
  }
  if (format === 'zip' && context.depth === 0) {
    const message = 'the archive is none of PyTorch, Keras or numpy, and what its contents are for is not judged';
    findings.push({ severity: 'suspicious', rule: 'format', message });
  }
  const counted = totals.tensors === 0 ? {} : totals.parameters === 0 ? { tensors: totals.tensors } : totals;
  return { format, ...counted, findings, stored };
}

function refuse(message: string): ZipReport {
  return { format: 'zip', findings: [{ severity: 'suspicious', rule: 'zip', message }], stored: [] };
}

/** What the entries' names say the archive is for. */
function formatOf(entries: readonly ZipEntry[]): ModelFormat {
  const has = (name: RegExp): boolean => entries.some((entry) => name.test(entry.name));
  if (has(/^[^/]+\/(?:constants\.pkl|model\.json)$/) || has(/^[^/]+\/code\/.*\.py$/)) return 'torchscript';
  if (has(/^[^/]+\/data\.pkl$/)) return 'pytorch';
  if (has(/^config\.json$/) && has(/^metadata\.json$/)) return 'keras';
  return entries.length > 0 && entries.every(({ name }) => name.endsWith('.npy')) ? 'numpy' : 'zip';
}

type EntryReport = Pick<FormatReport, 'tensors' | 'parameters' | 'findings'>;

function readEntry(
  source: ByteSource,
  entry: ZipEntry,
  format: ModelFormat,
  context: ReadContext,
  stored: StoredContent[],
): EntryReport {
  const limit = entry.compressedSize * MAX_RATIO + 1024;
  if (entry.size > limit && !entry.name.endsWith('.npy'))
    return found('zip', `it inflates from ${entry.compressedSize} to ${entry.size} bytes`);
  let content: ByteSource;
  try {
    content = contentOf(source, entry, context, stored);
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return found('zip', `the entry cannot be read: ${error.message}`);
  }
  const isKeras = format === 'keras' && entry.name === 'config.json';
  if (isKeras && content.size > MAX_CONFIG) return found('keras', 'the configuration is larger than is read');
  if (isKeras) return { findings: judgeKerasConfig(content.read(0, content.size).toString('utf8'), context.allowed) };
  const report = context.readNested(content, entry.name);
  if (format !== 'torchscript' || !/^[^/]+\/code\/.*\.py$/.test(entry.name)) return report;
  return { findings: [...report.findings, ...readTorchscriptCode(content, context.allowed)] };
}

function contentOf(source: ByteSource, entry: ZipEntry, context: ReadContext, stored: StoredContent[]): ByteSource {
  if (entry.method === 0 && !entry.isEncrypted && entry.size === entry.compressedSize && context.depth === 0) {
    stored.push({ start: entry.dataOffset, size: entry.size, crc: entry.crc, entry: entry.name });
    return slice(source, entry.dataOffset, entry.size);
  }
  const unpacked = context.depth === 0 && !entry.isEncrypted ? context.unpacked.get(entry.dataOffset) : undefined;
  if (unpacked === undefined) {
    if (!context.budget.take(entry.size)) throw new ZipError('the archive unpacks to more than is read');
    return bufferSource(readZipEntry(source, entry, MAX_IN_MEMORY));
  }
  if (unpacked.source === undefined) throw new ZipError(unpacked.problem ?? 'it does not unpack');
  if (unpacked.source.size !== entry.size)
    throw new ZipError(`it has ${unpacked.source.size} bytes where its header says ${entry.size}`);
  if (unpacked.crc !== entry.crc) throw new ZipError('its checksum is wrong');
  return unpacked.source;
}

function found(rule: string, message: string): EntryReport {
  return { findings: [{ severity: 'suspicious', rule, message }] };
}

function entryPath(entry: ZipEntry, finding: ModelFinding): string {
  return finding.entry === undefined ? entry.name : `${entry.name}!${finding.entry}`;
}
