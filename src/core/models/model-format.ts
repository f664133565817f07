import type { ByteSource } from './byte-source.ts';
import { readGguf } from './gguf.ts';
import type { FormatReport, ModelFinding, ModelFormat } from './model-finding.ts';
import { readNumpy } from './numpy-file.ts';
import { isLegacyTorch, readPickleFile } from './pickle-file.ts';
import { OPCODES } from './pickle-opcodes.ts';
import { readSafetensors } from './safetensors.ts';
import { NUMPY_MAGIC, readZipModel } from './zip-model.ts';

/**
 * Reads a model file by what its bytes are, never by its name, and says what loading it could do.
 * `allowed` holds the imports (`module.name`, `module.*`) that pickles of this model may make besides the harmless ones.
 */
export function readModelFormat(source: ByteSource, allowed: ReadonlySet<string>): FormatReport {
  const head = source.read(0, 4096);
  const format = detectFormat(head, source.size);
  switch (format) {
    case 'empty':
      return bad('empty', 'mismatch', 'the file is empty');
    case 'git-lfs-pointer':
      return bad('git-lfs-pointer', 'mismatch', 'this is a git-lfs pointer, not the file: check out with "lfs: true"');
    case 'html':
      return bad(
        'html',
        'mismatch',
        'this is an HTML page, not a model: the download answered with an error or a login',
      );
    case 'safetensors':
      return readSafetensors(source);
    case 'gguf':
      return readGguf(source);
    case 'numpy':
      return readNumpy(source, allowed);
    case 'zip':
    case 'pytorch':
      return readZipModel(source, allowed);
    case 'pytorch-legacy':
    case 'pickle':
      return readPickleFile(source, format === 'pytorch-legacy', allowed);
    case 'unknown':
      return bad(
        'unknown',
        'suspicious',
        'the format is not known, and nothing shows that loading the file is harmless',
      );
  }
}

/** The format that the first bytes say; `head` holds up to 4 KiB of a file of `size` bytes. */
export function detectFormat(head: Buffer, size: number): ModelFormat {
  if (size === 0) return 'empty';
  const text = head.toString('latin1');
  if (
    text.startsWith('version https://git-lfs.github.com/spec/') ||
    text.startsWith('version https://hawser.github.com/spec/')
  )
    return 'git-lfs-pointer';
  if (/^\s*(?:<!doctype html|<html|<\?xml)/i.test(text)) return 'html';
  if (text.startsWith('GGUF')) return 'gguf';
  if (head.subarray(0, 6).equals(NUMPY_MAGIC)) return 'numpy';
  if (text.startsWith('PK\x03\x04')) return 'zip';
  if (isLegacyTorch(head)) return 'pytorch-legacy';
  if (looksLikeSafetensors(head, size)) return 'safetensors';
  if (looksLikePickle(head)) return 'pickle';
  return 'unknown';
}

function looksLikeSafetensors(head: Buffer, size: number): boolean {
  if (head.length < 10) return false;
  const length = head.readBigUInt64LE(0);
  // A header that is too long for the file is a broken safetensors file when JSON follows, and no other format.
  return /^\s*\{\s*["}]/.test(head.toString('latin1', 8, 64)) && (length <= BigInt(size) || length < 1n << 40n);
}

/** Protocols 2 and up start with PROTO; a text protocol starts with any opcode, and its first ones must be opcodes. */
function looksLikePickle(head: Buffer): boolean {
  const first = head[0] ?? 0;
  if (first === 0x80) return (head[1] ?? 255) <= 5;
  return OPCODES.has(first) && head.includes(0x2e);
}

function bad(format: ModelFormat, severity: ModelFinding['severity'], message: string): FormatReport {
  return { format, findings: [{ severity, rule: 'format', message }] };
}
