import { ConfigurationError } from '../../runner/errors.ts';
import { type ExpectedFile, whyNoPath } from './expected-file.ts';

const MAX_MANIFEST = 16 * 1024 * 1024;
const GNU = /^(\\?)([0-9a-fA-F]{64}|[0-9a-fA-F]{128}) [ *](.+)$/s;
const BSD = /^(\\?)(SHA256|SHA2-256|SHA512|SHA2-512) ?\((.+)\) ?= ([0-9a-fA-F]+)$/s;

/**
 * Reads a `SHA256SUMS` file: GNU lines (`<hex>  name`, `<hex> *name`), BSD lines (`SHA256 (name) = <hex>`, also as
 * OpenSSL 3 writes them), names escaped by a leading backslash, SHA-512 of either.
 *
 * Stricter than `sha256sum -c`, which passes over lines it cannot read and cuts names at a NUL: such a line, an empty
 * manifest, a name that leaves the folder and a file listed twice with different digests are ConfigurationErrors at
 * their line. `file` is the manifest's name for the messages.
 */
export function parseChecksums(text: string, file: string): readonly ExpectedFile[] {
  if (text.length > MAX_MANIFEST)
    throw new ConfigurationError(`"${file}" is larger than any list of checksums`, { file });
  const expected = new Map<string, ExpectedFile>();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const entry = parseLine(line, index + 1, file);
    const before = expected.get(entry.path);
    if (before !== undefined && before.digest?.hex !== entry.digest?.hex) {
      throw new ConfigurationError(
        `"${entry.path}" is listed twice with different digests (lines ${before.line} and ${entry.line})`,
        { file, line: entry.line },
      );
    }
    expected.set(entry.path, entry);
  }
  if (expected.size === 0) throw new ConfigurationError(`"${file}" lists no file`, { file });
  return [...expected.values()];
}

function parseLine(line: string, number: number, file: string): ExpectedFile {
  const refuse = (why: string): never => {
    throw new ConfigurationError(`line ${number} of "${file}" ${why}`, { file, line: number });
  };
  const gnu = GNU.exec(line);
  const bsd = gnu === null ? BSD.exec(line) : null;
  const [prefix, name, digest] = gnu !== null ? [gnu[1], gnu[3], gnu[2]] : bsd !== null ? [bsd[1], bsd[3], bsd[4]] : [];
  if (name === undefined || digest === undefined) return refuse('is no checksum: write "<sha256>  <path>"');
  const algorithm = digest.length === 64 ? 'sha256' : 'sha512';
  if (digest.length !== 64 && digest.length !== 128) return refuse(`has a digest of ${digest.length} digits`);
  if (bsd !== null && bsd[2]?.endsWith('512') !== (algorithm === 'sha512'))
    return refuse('has a digest of another algorithm than it names');
  const path =
    prefix === '\\' ? decodeName(name, () => refuse('has an escape that is none of \\\\, \\n and \\r')) : name;
  const why = whyNoPath(path);
  if (why !== undefined) return refuse(why);
  return { path: path.replace(/^(?:\.\/)+/, ''), digest: { algorithm, hex: digest.toLowerCase() }, line: number };
}

function decodeName(name: string, refuse: () => never): string {
  return name.replace(/\\(.?)/gs, (_, sign: string) => {
    if (sign === '\\') return '\\';
    if (sign === 'n') return '\n';
    return sign === 'r' ? '\r' : refuse();
  });
}

/** A manifest that `sha256sum -c` reads, in the order of the paths; names with line ends or backslashes are escaped. */
export function formatChecksums(files: readonly { readonly path: string; readonly sha256: string }[]): string {
  return [...files]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, sha256 }) => {
      const escaped = path.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\r/g, '\\r');
      return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`;
    })
    .join('');
}
