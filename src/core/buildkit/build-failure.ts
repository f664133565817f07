import type { Step } from './progress.ts';

/** Why a build failed, as far as its output tells. */
export interface BuildFailure {
  /** BuildKit's error, without the frames around it. */
  readonly message: string;
  readonly step: Step | undefined;
  /** The Dockerfile as BuildKit names it, and its line. */
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly endLine: number | undefined;
  readonly kind: FailureKind;
}

/**
 * `step`: an instruction failed, and would again. `network`: a pull, a push or the builder could not be reached.
 * `cache`: the cache's own set-up failed, which `ignore-error` does not cover. `other`: everything else.
 */
export type FailureKind = 'step' | 'network' | 'cache' | 'other';

const FRAME = /^-{10,}$/;

/** Reads the failure from what buildx printed beside its progress, and from the steps. */
export function readFailure(text: string, steps: readonly Step[]): BuildFailure {
  const lines = text.split('\n');
  const errorAt = lines.findLastIndex((line) => line.startsWith('ERROR: '));
  const said = errorAt < 0 ? lines.filter((line) => line.trim() !== '').slice(-5) : lines.slice(errorAt);
  const step = steps.find(({ error }) => error !== undefined && !/context canceled|^CANCELED/.test(error));
  const message =
    said
      .join('\n')
      .replace(/^ERROR: (?:target [\w-]+: )?(?:failed to solve: )?/, '')
      .trim() ||
    step?.error ||
    'the build printed no reason';
  return { message, step, ...findPlace(lines), kind: failureKind(message) };
}

/** `Dockerfile:12` above a frame in which `>>>` marks the failing instruction's lines. */
function findPlace(lines: readonly string[]): Pick<BuildFailure, 'file' | 'line' | 'endLine'> {
  const at = lines.findLastIndex((line, index) => /^[^\s:]+:\d+$/.test(line) && FRAME.test(lines[index + 1] ?? ''));
  const match = /^(.+):(\d+)$/.exec(lines[at] ?? '');
  if (match === null) return { file: undefined, line: undefined, endLine: undefined };
  const marked = lines.slice(at).flatMap((line) => /^\s*(\d+) \| >>>/.exec(line)?.[1] ?? []);
  return { file: match[1], line: Number(match[2]), endLine: Number(marked.at(-1) ?? match[2]) };
}

const NETWORK =
  /i\/o timeout|TLS handshake timeout|connection (?:reset|refused|timed out)|broken pipe|unexpected EOF|no route to host|temporary failure in name resolution|server misbehaving|context deadline exceeded|too many requests|toomanyrequests|50[0234] |(?:Bad Gateway|Service Unavailable|Gateway Time-?out|Internal Server Error)|failed to copy: httpReadSeeker|error reading from server|rpc error: code = Unavailable/i;

/**
 * A layer that a cache named and could not give, or gave with other bytes than its digest or media type says. Layers of
 * base images come by `httpReadSeeker`.
 */
const CACHED_BYTES =
  /failed to copy: (?!httpReadSeeker)|content digest \S+: not found|unexpected commit (?:digest|size)|failed (?:size|digest) validation|(?:gzip|zstd|flate|archive\/tar): (?:invalid|magic|unexpected)|invalid input: magic number mismatch/i;

/** What kind of failure an error text tells of. A failed RUN is never a network fault, whatever its command reached for. */
export function failureKind(message: string): FailureKind {
  if (/did not complete successfully: exit code: \d+|parse error/.test(message)) return 'step';
  if (CACHED_BYTES.test(message)) return 'cache';
  if (/cache (?:exporter|importer)|(?:exporting|importing) (?:to )?.*cache/i.test(message)) return 'cache';
  return NETWORK.test(message) ? 'network' : 'other';
}
