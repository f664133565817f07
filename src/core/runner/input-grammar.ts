import { ConfigurationError } from './errors.ts';

/** A size such as `500MB`, in bytes; units of 1000 (`MB`) and of 1024 (`MiB`), at most 2^53. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?))?b?$/i.exec(text);
  if (match === null)
    throw new ConfigurationError(`${shown(text)} is no size; write a number and a unit, such as 500MB or 1.5GiB`);
  const [, digits = '', unit = '', binary = ''] = match;
  const power = ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase());
  const value = Math.round(Number(digits) * (binary === '' ? 1000 : 1024) ** power);
  if (!Number.isSafeInteger(value)) throw new ConfigurationError(`${shown(text)} is too large a size`);
  return value;
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A time such as `90s` or `1h30m`, in milliseconds; a bare number is seconds. */
export function parseDuration(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)/g)];
  const whole = parts.map(([part]) => part).join('');
  if (parts.length === 0 || whole !== text.replace(/\s+/g, '')) {
    throw new ConfigurationError(`${shown(text)} is no time; write numbers with units, such as 90s, 20m or 1h30m`);
  }
  return Math.round(
    parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit as keyof typeof UNITS] ?? 0), 0),
  );
}

/** The booleans of YAML 1.2's core schema, as the runner's toolkit reads them. */
export function parseBoolean(text: string): boolean {
  if (['true', 'True', 'TRUE'].includes(text)) return true;
  if (['false', 'False', 'FALSE'].includes(text)) return false;
  throw new ConfigurationError(`${shown(text)} is neither true nor false`);
}

export function parseInteger(text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^-?\d{1,16}$/.test(text) || !Number.isSafeInteger(value))
    throw new ConfigurationError(`${shown(text)} is no whole number`);
  if (value < min || value > max) throw new ConfigurationError(`${shown(text)} is not between ${min} and ${max}`);
  return value;
}

export function parseChoice<Choice extends string>(text: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  const near = nearest(text, choices);
  throw new ConfigurationError(
    `${shown(text)} is none of ${choices.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}

export function parseLines(text: string): readonly string[] {
  return text.split(/\r?\n/);
}

/** Entries between commas or on lines of their own, trimmed; blank entries and lines that start with `#` are left out. */
export function parseList(text: string): readonly string[] {
  return parseLines(text)
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** `key=value` lines. The value keeps every further `=` and its inner blanks. Throws at a line without `=`, and at a key given twice. */
export function parseMap(text: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (const [index, line] of parseLines(text).entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const split = line.indexOf('=');
    const key = line.slice(0, Math.max(0, split)).trim();
    if (key === '') throw new ConfigurationError(`line ${index + 1} (${shown(line)}) is no key=value`);
    if (entries.has(key)) throw new ConfigurationError(`line ${index + 1} gives ${shown(key)} a second time`);
    entries.set(key, line.slice(split + 1).trim());
  }
  return entries;
}

/** Globs in the order given; `!` in front of one excludes what it matches. */
export type GlobList = readonly { readonly glob: string; readonly isExcluded: boolean }[];

export function parseGlobs(text: string): GlobList {
  return parseLines(text)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) =>
      line.startsWith('!') ? { glob: line.slice(1).trim(), isExcluded: true } : { glob: line, isExcluded: false },
    );
}

/** The candidate that a misspelt word most likely stands for, if one is near enough to suggest. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase(), limit) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Damerau's edit distance (optimal string alignment), given up above `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit || a.length > 200) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? limit + 1;
}

/** A value as an error shows it: quoted, on one line, not too long. */
function shown(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.length <= 120 ? quoted : `${quoted.slice(0, 117)}…"`;
}
