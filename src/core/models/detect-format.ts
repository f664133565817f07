import { detectCompression } from './archive/compression.ts';
import { isTarHeader } from './archive/tar-model.ts';
import type { ByteSource } from './byte-source.ts';
import { hdf5Start } from './formats/hdf5.ts';
import { NUMPY_MAGIC } from './formats/numpy-file.ts';
import { protobufKind } from './formats/protobuf-kind.ts';
import type { ModelFormat } from './model-finding.ts';
import { OPCODES } from './pickle/opcodes.ts';
import { isLegacyTorch } from './pickle/stacked-pickles.ts';

/** Bytes at a file's start that tell its format; formats without a magic number are walked as far as need be. */
const HEAD = 4096;

/** The format of a file by its bytes, never by its name. */
export function detectFormat(source: ByteSource): ModelFormat {
  if (source.size === 0) return 'empty';
  const head = source.read(0, HEAD);
  const text = head.toString('latin1');
  return (
    detectText(text) ??
    detectMagic(head, text) ??
    (isLegacyTorch(head) ? 'pytorch-legacy' : undefined) ??
    (looksLikeSafetensors(head, source.size) ? 'safetensors' : undefined) ??
    (isTarHeader(head) ? 'tar' : undefined) ??
    (detectCompression(head) === undefined ? undefined : 'compressed') ??
    (hdf5Start(source) === undefined ? undefined : 'hdf5') ??
    // PROTO starts every pickle from protocol 2 on, and no message of a protocol buffer.
    (head[0] === 0x80 ? 'pickle' : undefined) ??
    protobufKind(source) ??
    (/^\s*[{[]/.test(text) && !looksLikeTextPickle(head) ? 'json' : undefined) ??
    (looksLikeTextPickle(head) ? 'pickle' : 'unknown')
  );
}

function detectText(text: string): ModelFormat | undefined {
  if (/^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\//.test(text)) return 'git-lfs-pointer';
  return /^[\s\xef\xbb\xbf]*(?:<!doctype html|<html|<head|<body|<\?xml|<!--)/i.test(text) ? 'html' : undefined;
}

function detectMagic(head: Buffer, text: string): ModelFormat | undefined {
  if (text.startsWith('GGUF')) return 'gguf';
  if (head.subarray(0, NUMPY_MAGIC.length).equals(NUMPY_MAGIC)) return 'numpy';
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) return 'zip';
  return text.slice(4, 8) === 'TFL3' ? 'tflite' : undefined;
}

function looksLikeSafetensors(head: Buffer, size: number): boolean {
  if (head.length < 10) return false;
  const length = head.readBigUInt64LE(0);
  // A header that is too long for the file is a broken safetensors file when JSON follows, and no other format.
  return /^\s*\{\s*["}]/.test(head.toString('latin1', 8, 64)) && (length <= BigInt(size) || length < 1n << 40n);
}

/** A pickle of protocol 0 or 1 starts with any opcode; there must be a STOP somewhere, and no JSON reads like one. */
function looksLikeTextPickle(head: Buffer): boolean {
  const first = head[0] ?? 0;
  if (first === 0x7b || OPCODES[first] === undefined) return false;
  return first !== 0x5b && (head.includes(0x2e) || head.length === HEAD);
}
