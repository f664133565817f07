import type { ByteSource } from '../byte-source.ts';
import type { ModelFinding } from '../model-finding.ts';
import type { ZipEntry } from './zip-archive.ts';

/** A data descriptor of ZIP64 with its signature: what may stand behind an entry that was streamed. */
const DESCRIPTOR = 24;
const MAX_FINDINGS = 50;

/**
 * What makes two readers of one archive see different things: names that are there twice or that differ between an
 * entry's two headers, names that lead out of the archive, entries that share bytes, and bytes that belong to none.
 */
export function checkLayout(source: ByteSource, entries: readonly ZipEntry[]): readonly ModelFinding[] {
  return [...checkNames(entries), ...checkPlaces(source, entries)].slice(0, MAX_FINDINGS);
}

/** True where two entries lie over each other. */
export function sharesBytes(entries: readonly ZipEntry[]): boolean {
  let position = 0;
  return [...entries]
    .sort((a, b) => a.headerOffset - b.headerOffset)
    .some(({ headerOffset, dataOffset, compressedSize }) => {
      const isInside = headerOffset < position;
      position = dataOffset + compressedSize;
      return isInside;
    });
}

function checkNames(entries: readonly ZipEntry[]): readonly ModelFinding[] {
  const findings: ModelFinding[] = [];
  const seen = new Set<string>();
  for (const { name, disagreements } of entries) {
    const add = (message: string): void =>
      void findings.push({ severity: 'suspicious', rule: 'zip', message, entry: name });
    if (seen.has(name)) add('two entries have this name, and readers differ in which they take');
    else if (seen.has(name.toLowerCase())) add('two entries have this name but for upper and lower case');
    seen.add(name);
    seen.add(name.toLowerCase());
    if (name.includes('\0')) add('its name holds a NUL, where some readers cut it');
    if (/^[/\\]|^[A-Za-z]:/.test(name) || name.split(/[/\\]/).includes('..')) add('its name leads out of the archive');
    for (const message of disagreements) add(message);
  }
  return findings;
}

function checkPlaces(source: ByteSource, entries: readonly ZipEntry[]): readonly ModelFinding[] {
  const findings: ModelFinding[] = [];
  const sorted = [...entries].sort((a, b) => a.headerOffset - b.headerOffset);
  let [position, allowed] = [0, 0];
  for (const { name, headerOffset, dataOffset, compressedSize, isStreamed } of sorted) {
    if (headerOffset < position)
      findings.push({
        severity: 'suspicious',
        rule: 'zip',
        message: 'it shares bytes with another entry',
        entry: name,
      });
    else if (headerOffset - position > allowed && hasContent(source, position, headerOffset)) {
      const message = `${headerOffset - position} bytes in front of it belong to no entry`;
      findings.push({ severity: 'suspicious', rule: 'zip', message, entry: name, offset: position });
    }
    position = Math.max(position, dataOffset + compressedSize);
    allowed = isStreamed ? DESCRIPTOR : 0;
  }
  return findings;
}

/** Zeros that align the next entry hide nothing; a gap too large to look at is content. */
function hasContent(source: ByteSource, start: number, end: number): boolean {
  return end - start > 1024 * 1024 || source.read(start, end - start).some((byte) => byte !== 0);
}
