import { type ByteSource, bufferSource } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import { MAX_DEPTH, type ReadContext } from '../read-context.ts';
import { type Compression, isReadable, type Readable } from './compression.ts';
import { decompressInMemory } from './decompress.ts';
import { MAX_IN_MEMORY } from './unpacked-contents.ts';

/**
 * Reads what stands in a compressed file: joblib writes `compress=` pickles like this. An archive of another kind,
 * and contents that do not unpack, are findings.
 */
export function readCompressed(source: ByteSource, compression: Compression, context: ReadContext): FormatReport {
  if (!isReadable(compression)) return unread(`it is a ${compression} archive, which is not followed; unpack it first`);
  if (context.depth >= MAX_DEPTH) return unread('contents are nested deeper than is read');
  const kept = context.depth === 0 ? context.unpacked.get(0) : undefined;
  if (kept?.problem !== undefined) return unread(`it does not unpack: ${kept.problem}`);
  const content = kept?.source ?? unpackInMemory(source, compression, context);
  if (typeof content === 'string') return unread(content);
  const report = context.readNested(content, '');
  return { ...report, findings: report.findings.map((finding) => inside(finding, compression)) };
}

function inside(finding: ModelFinding, compression: Compression): ModelFinding {
  return { ...finding, entry: finding.entry === undefined ? `(${compression})` : `(${compression})!${finding.entry}` };
}

function unpackInMemory(source: ByteSource, compression: Readable, { budget }: ReadContext): ByteSource | string {
  if (source.size > MAX_IN_MEMORY)
    return `it has more than the ${MAX_IN_MEMORY} bytes that are unpacked inside of another file`;
  if (budget.isLate) return budget.whyLate;
  try {
    const bytes = decompressInMemory(compression, source, MAX_IN_MEMORY);
    return budget.take(bytes.length) ? bufferSource(bytes) : 'the file unpacks to more than is read';
  } catch (error) {
    return `it does not unpack: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function unread(message: string): FormatReport {
  return { format: 'compressed', findings: [{ severity: 'suspicious', rule: 'compression', message }] };
}
