import { type ByteSource, slice } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import { MAX_DEPTH, type ReadContext } from '../read-context.ts';
import { readStorages } from './tar-storages.ts';

const BLOCK = 512;
const MAX_ENTRIES = 100_000;
/** Entries of the archives of torch before 0.2 (torch/serialization.py, `legacy_load`). */
const TORCH_ENTRIES = ['sys_info', 'pickle', 'storages', 'tensors'] as const;

interface TarEntry {
  readonly name: string;
  readonly type: string;
  readonly start: number;
  readonly size: number;
}

/** True for a block that is a tar header: its checksum is right. */
export function isTarHeader(block: Buffer): boolean {
  if (block.length < BLOCK || block[0] === 0) return false;
  const told = Number.parseInt(block.toString('latin1', 148, 156).replace(/\0.*$/s, '').trim(), 8);
  // The checksum counts its own field as blanks.
  const sum = block.subarray(0, BLOCK).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  return told === sum;
}

/**
 * Reads a tar archive: that of torch before 0.2, whose entries are pickles and storages, or any other one, every
 * content of which is read by what its bytes are. Links and devices are findings: they reach out of the archive.
 */
export function readTarModel(source: ByteSource, context: ReadContext): FormatReport {
  if (context.depth >= MAX_DEPTH) return unread('contents are nested deeper than is read');
  const findings: ModelFinding[] = [];
  const { entries, problem } = listEntries(source);
  if (problem !== undefined) findings.push({ severity: 'suspicious', rule: 'tar', ...problem });
  const isTorch = entries.some(({ name }) => name === 'pickle') && entries.some(({ name }) => name === 'storages');
  for (const entry of entries) {
    if (context.budget.isLate) {
      findings.push({ severity: 'suspicious', rule: 'tar', message: context.budget.whyLate, entry: entry.name });
      break;
    }
    for (const finding of readEntry(source, entry, isTorch, context))
      findings.push({ ...finding, entry: finding.entry === undefined ? entry.name : `${entry.name}!${finding.entry}` });
  }
  if (!isTorch && context.depth === 0)
    findings.push({
      severity: 'suspicious',
      rule: 'format',
      message: 'a tar archive is no model: verify the files in it',
    });
  return { format: isTorch ? 'pytorch-tar' : 'tar', findings };
}

function readEntry(
  source: ByteSource,
  entry: TarEntry,
  isTorch: boolean,
  context: ReadContext,
): readonly ModelFinding[] {
  const why = whyUnsafe(entry);
  if (why !== undefined) return [{ severity: 'suspicious', rule: 'tar', message: why }];
  if (entry.type === '5' || entry.size === 0) return [];
  const content = slice(source, entry.start, entry.size);
  if (isTorch && (entry.name === 'storages' || entry.name === 'tensors'))
    return readStorages(content, entry.name, context);
  const { findings } = context.readNested(
    content,
    isTorch && TORCH_ENTRIES.some((name) => name === entry.name) ? 'entry.pkl' : entry.name,
  );
  return findings;
}

function whyUnsafe({ name, type }: TarEntry): string | undefined {
  if (name.startsWith('/') || name.split('/').includes('..') || name.includes('\0'))
    return 'its name leaves the archive';
  if (type === '1' || type === '2') return 'it is a link, which reaches out of the archive';
  return ['0', '\0', '5', '7', ''].includes(type) ? undefined : `it is an entry of type ${JSON.stringify(type)}`;
}

function listEntries(source: ByteSource): {
  readonly entries: readonly TarEntry[];
  readonly problem: { readonly message: string; readonly offset: number } | undefined;
} {
  const entries: TarEntry[] = [];
  for (let position = 0; position + BLOCK <= source.size; ) {
    const block = source.read(position, BLOCK);
    if (block.every((byte) => byte === 0)) return { entries, problem: undefined };
    const size = isTarHeader(block) ? sizeOf(block) : undefined;
    const start = position + BLOCK;
    if (size === undefined || start + size > source.size || entries.length >= MAX_ENTRIES)
      return { entries, problem: { message: 'the archive cannot be followed to its end', offset: position } };
    entries.push({ name: nameOf(block), type: block.toString('latin1', 156, 157), start, size });
    position = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return { entries, problem: { message: 'the archive has no end: it is cut off', offset: source.size } };
}

/** Octal, or for large files a number in base 256 behind a set bit. */
function sizeOf(block: Buffer): number | undefined {
  if (((block[124] ?? 0) & 0x80) !== 0) return block.readUIntBE(130, 6);
  const text = block.toString('latin1', 124, 136).replace(/\0.*$/s, '').trim();
  return /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : text === '' ? 0 : undefined;
}

function nameOf(block: Buffer): string {
  const field = (start: number, end: number): string => block.toString('utf8', start, end).replace(/\0.*$/s, '');
  const prefix = block.toString('latin1', 257, 262) === 'ustar' ? field(345, 500) : '';
  return `${prefix === '' ? '' : `${prefix}/`}${field(0, 100)}`.replace(/^\.\//, '');
}

function unread(message: string): FormatReport {
  return { format: 'tar', findings: [{ severity: 'suspicious', rule: 'tar', message }] };
}
