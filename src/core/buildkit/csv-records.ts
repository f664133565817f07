import { ConfigurationError } from '../runner/errors.ts';

/**
 * The list inputs of docker/build-push-action: one entry a line; blank lines and lines that start with `#` are left
 * out; an entry in quotation marks may hold line ends, and `""` in it stands for one mark.
 *
 * Commas are no separators: a build argument or a label may hold one. Throws ConfigurationError for an open quote.
 */
export function parseEntries(lines: readonly string[]): readonly string[] {
  const entries: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = (lines[at] ?? '').trim();
    if (line === '' || line.startsWith('#')) continue;
    if (!line.startsWith('"')) {
      entries.push(line);
      continue;
    }
    let quoted = (lines[at] ?? '').trimStart();
    while (!isClosed(quoted)) {
      at += 1;
      const next = lines[at];
      if (next === undefined)
        throw new ConfigurationError(`the quotation mark of ${line.slice(0, 60)} is never closed`);
      quoted += `\n${next}`;
    }
    entries.push(quoted.trimEnd().slice(1, -1).replaceAll('""', '"'));
  }
  return entries;
}

function isClosed(text: string): boolean {
  const trimmed = text.trimEnd();
  const marks = trimmed.length - trimmed.replaceAll('"', '').length;
  return trimmed.length > 1 && trimmed.endsWith('"') && marks % 2 === 0;
}

/** `key=value` entries, split at the first `=`. Throws ConfigurationError for an entry without a key or an `=`. */
export function parsePairs(entries: readonly string[], shape = 'key=value'): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at < 1) throw new ConfigurationError(`"${entry.slice(0, 60).split('=')[0] ?? ''}" must be written ${shape}`);
    pairs.set(entry.slice(0, at).trim(), entry.slice(at + 1));
  }
  return pairs;
}
