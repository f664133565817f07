import { isRecord } from '../runner/event.ts';

/**
 * What `--progress=rawjson` prints: one object a line with vertexes (steps), logs and warnings.
 *
 * Source: moby/buildkit, client/graph.go (`SolveStatus`); texts are base64, times RFC 3339.
 */
export interface ProgressEvents {
  readonly vertexes: readonly Vertex[];
  readonly logs: readonly VertexLog[];
  readonly warnings: readonly VertexWarning[];
}

export interface Vertex {
  readonly digest: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly started: number | undefined;
  readonly completed: number | undefined;
  readonly isCached: boolean;
  readonly error: string | undefined;
}

export interface VertexLog {
  readonly vertex: string;
  readonly text: string;
  readonly isError: boolean;
}

export interface VertexWarning {
  readonly message: string;
  readonly url: string | undefined;
  /** The Dockerfile's last name, as BuildKit was told it. */
  readonly file: string | undefined;
  readonly line: number | undefined;
}

const MAX_NAME = 2_000;

/** Reads one line of progress; undefined for a line that is none, such as buildx's own error text. */
export function parseProgressLine(line: string): ProgressEvents | undefined {
  if (!line.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // A line of a build tool that happens to start with a brace is text like any other.
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  return {
    vertexes: records(value['vertexes']).flatMap(toVertex),
    logs: records(value['logs']).flatMap(toLog),
    warnings: records(value['warnings']).map(toWarning),
  };
}

function records(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function toVertex(value: Readonly<Record<string, unknown>>): Vertex[] {
  const { digest, name, error } = value;
  if (typeof digest !== 'string' || typeof name !== 'string') return [];
  return [
    {
      digest,
      name: name.slice(0, MAX_NAME),
      started: toTime(value['started']),
      completed: toTime(value['completed']),
      isCached: value['cached'] === true,
      error: typeof error === 'string' && error !== '' ? error : undefined,
    },
  ];
}

function toLog(value: Readonly<Record<string, unknown>>): VertexLog[] {
  const { vertex, data } = value;
  if (typeof vertex !== 'string' || typeof data !== 'string') return [];
  return [{ vertex, text: Buffer.from(data, 'base64').toString('utf8'), isError: value['stream'] === 2 }];
}

function toWarning(value: Readonly<Record<string, unknown>>): VertexWarning {
  const source = value['sourceInfo'];
  const [range] = records(value['range']);
  const start = range?.['start'];
  const file = isRecord(source) ? source['filename'] : undefined;
  const line = isRecord(start) ? start['line'] : undefined;
  const { url, short } = value;
  return {
    message: typeof short === 'string' ? Buffer.from(short, 'base64').toString('utf8') : '',
    url: typeof url === 'string' ? url : undefined,
    file: typeof file === 'string' ? file : undefined,
    line: typeof line === 'number' ? line : undefined,
  };
}

function toTime(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) || time <= 0 ? undefined : time;
}
