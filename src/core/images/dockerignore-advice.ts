import type { PlannedRow } from './row-plan.ts';

/** The ignore file that would narrow reads of a whole context. */
export interface DockerignoreAdvice {
  /** `backend/.dockerignore`, there or not yet. */
  readonly file: string;
  readonly context: string;
  /** Dockerfiles that copy the whole context. */
  readonly dockerfiles: readonly string[];
  /** Files that are inputs now. */
  readonly count: number;
  readonly lines: readonly string[];
}

/** Folders and files that hardly any image needs, and that a whole context so often holds. */
const SELDOM_NEEDED =
  /^(?:\.git(?:hub|lab|ignore|attributes|modules)?|\.vscode|\.idea|docs?|tests?|examples?|[A-Z]+\.md|LICENSE.*|(?:docker-)?compose.*\.ya?ml|\.dockerignore|Dockerfile.*)$/;

/** For each context that some row reads whole: the lines that would spare builds, if there are any. */
export function adviseIgnoring(rows: readonly PlannedRow[]): readonly DockerignoreAdvice[] {
  const named = namedFolders(rows);
  const advice = new Map<string, DockerignoreAdvice>();
  const readers = new Map<string, Set<string>>();
  for (const { candidate } of rows) {
    const { definition, ignoreFile, dockerfile, selections } = candidate;
    const { context } = definition;
    const whole = selections.find(({ read }) => read.source === '' && read.from === undefined);
    if (whole === undefined || definition.only.length > 0) continue;
    const file = ignoreFile ?? (context === '.' ? '.dockerignore' : `${context}/.dockerignore`);
    const dockerfiles = readers.get(file);
    if (dockerfiles !== undefined) {
      dockerfiles.add(dockerfile.file);
      continue;
    }
    readers.set(file, new Set([dockerfile.file]));
    const top = new Set(whole.entries.map(({ path }) => path.split('/', 1)[0] ?? ''));
    const lines = [...top].filter((name) => SELDOM_NEEDED.test(name) && named.get(context)?.has(name) !== true);
    if (lines.length > 0) advice.set(file, { file, context, dockerfiles: [], count: whole.entries.length, lines });
  }
  return [...advice.values()].map((one) => ({ ...one, dockerfiles: [...(readers.get(one.file) ?? [])] }));
}

/** By context: what some row copies by its name, and so must stay in the context. */
function namedFolders(rows: readonly PlannedRow[]): ReadonlyMap<string, ReadonlySet<string>> {
  const named = new Map<string, Set<string>>();
  for (const { candidate } of rows) {
    const { context } = candidate.definition;
    const names = named.get(context) ?? new Set();
    for (const { source } of candidate.build.contextReads) names.add(source.split('/', 1)[0] ?? '');
    named.set(context, names);
  }
  return named;
}
