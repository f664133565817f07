import { type ByteSource, bufferSource, slice } from './byte-source.ts';
import type { FormatReport, ModelFinding } from './model-finding.ts';
import { readNumpy } from './numpy-file.ts';
import { readPickleFile } from './pickle-file.ts';
import { interpretPickle } from './pickle-interpreter.ts';
import { readZipEntries, readZipEntry, type ZipEntry, ZipError } from './zip-archive.ts';

/** Deflated entries are held in memory while they are read; stored ones, as PyTorch writes them, are not. */
const MAX_INFLATED = 64 * 1024 * 1024;
const MAX_DEPTH = 3;
const MAX_RATIO = 1000;

/**
 * Reads a zip that holds a model: PyTorch (`<root>/data.pkl`), numpy's `.npz`, or anything else.
 *
 * Every pickle of every entry is followed, whatever its name. Entries that two readers would see differently, that
 * are encrypted, or that cannot be read are findings.
 */
export function readZipModel(source: ByteSource, allowed: ReadonlySet<string>, depth = 0): FormatReport {
  const findings: ModelFinding[] = [];
  let entries: readonly ZipEntry[];
  try {
    entries = readZipEntries(source);
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return {
      format: 'zip',
      findings: [
        { severity: 'suspicious', rule: 'zip', message: `the archive is not what every reader sees: ${error.message}` },
      ],
    };
  }
  findings.push(...checkNames(entries));
  for (const entry of entries) {
    if (entry.name.endsWith('/') && entry.size === 0) continue;
    findings.push(
      ...readEntry(source, entry, allowed, depth).map((finding) => ({ ...finding, entry: entryPath(entry, finding) })),
    );
  }
  const isTorch = entries.some(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  const isNumpy = entries.length > 0 && entries.every(({ name }) => name.endsWith('.npy'));
  if (isTorch) {
    const storages = entries.filter(({ name }) => /^[^/]+\/data\/[^/]+$/.test(name));
    return { format: 'pytorch', tensors: storages.length, findings };
  }
  if (isNumpy) return { format: 'numpy', tensors: entries.length, findings };
  if (depth === 0)
    findings.push({
      severity: 'suspicious',
      rule: 'format',
      message: 'the archive is neither of PyTorch nor of numpy, and its other contents are not judged',
    });
  return { format: 'zip', findings };
}

function checkNames(entries: readonly ZipEntry[]): ModelFinding[] {
  const findings: ModelFinding[] = [];
  const seen = new Set<string>();
  for (const { name, localName } of entries) {
    if (seen.has(name))
      findings.push({
        severity: 'suspicious',
        rule: 'zip',
        message: 'two entries have this name, and readers differ in which they take',
        entry: name,
      });
    seen.add(name);
    if (name !== localName)
      findings.push({
        severity: 'suspicious',
        rule: 'zip',
        message: `its own header calls it ${JSON.stringify(localName).slice(0, 120)}`,
        entry: name,
      });
  }
  return findings;
}

function readEntry(
  source: ByteSource,
  entry: ZipEntry,
  allowed: ReadonlySet<string>,
  depth: number,
): readonly ModelFinding[] {
  if (entry.size > entry.compressedSize * MAX_RATIO + 1024) {
    return [
      {
        severity: 'suspicious',
        rule: 'zip',
        message: `it inflates from ${entry.compressedSize} to ${entry.size} bytes`,
      },
    ];
  }
  let content: ByteSource;
  try {
    const isStored = entry.method === 0 && !entry.isEncrypted && entry.size === entry.compressedSize;
    content = isStored
      ? slice(source, entry.dataOffset, entry.size)
      : bufferSource(readZipEntry(source, entry, MAX_INFLATED));
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return [{ severity: 'suspicious', rule: 'zip', message: `the entry cannot be read: ${error.message}` }];
  }
  const head = content.read(0, 8);
  if (head.length >= 4 && head.readUInt32LE(0) === 0x04034b50) {
    if (depth + 1 >= MAX_DEPTH)
      return [{ severity: 'suspicious', rule: 'zip', message: 'archives are nested deeper than is read' }];
    return readZipModel(content, allowed, depth + 1).findings;
  }
  if (head.subarray(0, 6).equals(NUMPY_MAGIC)) return readNumpy(content, allowed).findings;
  if (/\.(?:pkl|pickle|p|joblib)$/i.test(entry.name)) return readPickleFile(content, false, allowed).findings;
  // A payload may hide under any name. Weights read as a pickle break off, and their first bytes may by chance look
  // like an import; a name known to be dangerous does not come about by chance.
  return interpretPickle(content, 0, allowed).findings.filter(
    ({ severity, rule }) => severity === 'dangerous' && rule === 'pickle-import',
  );
}

export const NUMPY_MAGIC = Buffer.from('\x93NUMPY', 'latin1');

function entryPath(entry: ZipEntry, finding: ModelFinding): string {
  return finding.entry === undefined ? entry.name : `${entry.name}!${finding.entry}`;
}
