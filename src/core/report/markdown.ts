/** Pieces of GitHub-flavoured Markdown for job summaries. All text is escaped: it comes from repositories and builds. */

/** A column's head. Numbers are read down a column, so those of one stand flush right, and on one line with their unit. */
export type Column = string | { readonly title: string; readonly align: 'right' };

/** The head of a column of numbers, sizes or times. */
export const numbers = (title: string): Column => ({ title, align: 'right' });

/** More rows than a person reads. The outputs and the log have them all, and GitHub drops a summary over 1 MiB. */
const MAX_ROWS = 300;

/**
 * A table of at most 300 rows, with the count of those that are left out below. Cells are Markdown made by the functions
 * below, or plain text passed through `plain`. A column in which no row says anything is left out.
 */
export function table(head: readonly Column[], rows: readonly (readonly string[])[]): string {
  const columns = head
    .map((column, index) => ({ ...(typeof column === 'string' ? { title: column, align: 'left' } : column), index }))
    .filter(({ index }) => rows.some((row) => (row[index] ?? '') !== ''));
  const cellOf = (row: readonly string[], { index, align }: (typeof columns)[number]): string =>
    align === 'right' ? (row[index] ?? '').replaceAll(' ', '&nbsp;') : (row[index] ?? '');
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replace(/\r?\n/g, '<br>')).join(' | ')} |`;
  return [
    line(columns.map(({ title }) => title)),
    `|${columns.map(({ align }) => (align === 'right' ? ' ---: |' : ' --- |')).join('')}`,
    ...rows.slice(0, MAX_ROWS).map((row) => line(columns.map((column) => cellOf(row, column)))),
    ...(rows.length > MAX_ROWS ? ['', `… and ${rows.length - MAX_ROWS} more.`] : []),
  ].join('\n');
}

/** Plain text that Markdown and HTML leave as it is. */
export function plain(text: string): string {
  return html(text).replace(/([\\`*_{}[\]()#+!|~@])/g, '\\$1');
}

/** Text in a fixed-width face, also when it holds backticks or pipes. */
export function code(text: string): string {
  const flat = html(text.replace(/\s+/g, ' ')).replace(/\|/g, '&#124;');
  return `<code>${flat.replace(/([\\`*_[\]~@])/g, (sign) => `&#${sign.charCodeAt(0)};`)}</code>`;
}

/** A block of text as it stands, fenced with more backticks than it holds. */
export function codeBlock(text: string, language = ''): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n+$/, '')}\n${fence}`;
}

/** A box in the colour of its kind, which GitHub gives an icon and a title of its own. `text` is Markdown. */
export function alert(kind: 'note' | 'warning' | 'caution', text: string): string {
  return [`[!${kind.toUpperCase()}]`, ...text.split(/\r?\n/)].map((line) => `> ${line}`).join('\n');
}

/** A section that is folded until it is clicked. */
export function details(summary: string, body: string): string {
  // Its first line is HTML to Markdown, which reads no backslash there.
  return `<details><summary>${html(summary.replace(/\s+/g, ' '))}</summary>\n\n${body}\n\n</details>`;
}

function html(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** The first twelve digits of a digest, enough to tell images of one run apart: `sha256:361c29f4a8ad`. */
export function shortDigest(digest: string): string {
  return digest.slice(0, digest.indexOf(':') + 1 + 12);
}

/** A text with its digests cut to twelve digits, as they do not wrap and the log has them whole. */
export function shortenDigests(text: string): string {
  return text.replace(/\b([0-9a-f]{12})[0-9a-f]{28,}\b/g, '$1…');
}

/** A count with its noun: `1 row`, `3 rows`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** A size for people, in units of 1000 as registries show them: `12.3 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** A difference of sizes: `+1.2 MB`, `−18 B`, `±0`. */
export function formatGrowth(bytes: number): string {
  return bytes === 0 ? '±0' : `${bytes > 0 ? '+' : '−'}${formatBytes(Math.abs(bytes))}`;
}

/** A time for people: `240 ms`, `3.4 s`, `2 min 05 s`, `1 h 02 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.round((whole % 3600) / 60))} min`;
}
