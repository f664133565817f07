import { fieldOf, isRecord } from '../runner/event.ts';

/** One finding of BuildKit's checks of a Dockerfile. */
export interface DockerfileWarning {
  /** The bake target that was looked at. */
  readonly target: string;
  readonly rule: string;
  readonly message: string;
  readonly url: string | undefined;
  readonly line: number | undefined;
}

const MAX_WARNINGS = 1_000;

/** Reads the answer of `docker buildx bake --call check,format=json`. Throws SyntaxError for a text that is no JSON. */
export function parseCheckAnswer(text: string): readonly DockerfileWarning[] {
  const targets = fieldOf(JSON.parse(text), 'target');
  if (!isRecord(targets)) return [];
  return Object.entries(targets)
    .flatMap(([target, answer]) =>
      listOf(fieldOf(answer, 'check', 'warnings')).map((warning) => toWarning(target, warning)),
    )
    .slice(0, MAX_WARNINGS);
}

function toWarning(target: string, warning: unknown): DockerfileWarning {
  const text = (name: string): string | undefined => {
    const value = fieldOf(warning, name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [range] = listOf(fieldOf(warning, 'location', 'ranges'));
  const line = fieldOf(range, 'start', 'line');
  return {
    target,
    rule: text('ruleName') ?? 'Check',
    message: text('detail') ?? text('description') ?? '',
    url: text('url'),
    line: typeof line === 'number' ? line : undefined,
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
