import { posix } from 'node:path';
import { linkStages, type StageGraph } from '../dockerfile/graph.ts';
import { type Instruction, readJsonForm } from '../dockerfile/instructions.ts';
import type { Stage } from '../dockerfile/stages.ts';
import { fieldOf } from '../runner/event.ts';
import type { PlannedRow } from './row-plan.ts';
import type { Snapshot } from './snapshot.ts';
import type { StaticFinding } from './static-checks.ts';

const CONFIGS = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((type) => `vite.config.${type}`);

/** Commands that make no folder of their own: with any other one, nothing is said of what a stage holds. */
const MAKES_NO_FOLDER =
  /^(?:(?:npm|pnpm|yarn|bun) (?:ci|i|install|add|cache|config)\b|corepack\b|apk\b|apt-get\b|find\b|rm\b|echo\b|ls\b|du\b|test\b|\[)/;
const RUNS_VITE = /^(?:(?:npx|pnpm exec|yarn|bunx) |(?:\.\/)?node_modules\/\.bin\/)?vite build\b/;
const RUNS_SCRIPT = /^(?:(?:npm|bun) run|(?:pnpm|yarn)(?: run)?) build\b/;

/**
 * COPY sources in a stage that is built with Vite which are another folder than Vite writes to: `/app/dist` where
 * `outDir` is `build`. BuildKit finds that out when everything before it is built.
 *
 * Only what is certain is told: a stage whose commands are all known, with one configuration that says it plainly.
 * Source: https://vite.dev/config/build-options#build-outdir.
 */
export async function checkBundlerOutputs(
  rows: readonly PlannedRow[],
  snapshot: Snapshot,
): Promise<readonly StaticFinding[]> {
  const contexts = new Set(rows.map(({ row }) => row.context));
  await snapshot.load([...contexts].flatMap((context) => fileNames(context)));
  // Variants and platforms of one file differ in nothing that this sees.
  const builds = new Map(rows.map((row) => [`${row.row.context} ${row.row.dockerfile} ${row.row.target}`, row]));
  return [...builds.values()].filter(mayRunVite).flatMap((row) => checkRow(row, snapshot));
}

const mayRunVite = ({ candidate }: PlannedRow): boolean =>
  candidate.build.reached.some(({ instructions }) =>
    instructions.some(({ keyword, rest }) => keyword === 'run' && /\bbuild\b/.test(rest)),
  );

const fileNames = (context: string): readonly string[] =>
  ['package.json', ...CONFIGS].map((name) => posix.join(context, name));

interface Sources {
  readonly context: string;
  readonly snapshot: Snapshot;
  /** Whether the build takes a file of the context at all. */
  readonly isRead: (name: string) => boolean;
}

function checkRow({ row, candidate }: PlannedRow, snapshot: Snapshot): readonly StaticFinding[] {
  const { definition, dockerfile, build, platform } = candidate;
  if (definition.build['dockerfile-inline'] !== undefined) return [];
  const given = { args: definition.args, platform };
  const graph = linkStages(dockerfile, definition.target, given, new Set(definition.contexts.keys()));
  const sources = {
    context: row.context,
    snapshot,
    isRead: (name: string) => candidate.selections.some(({ entries }) => entries.some(({ path }) => path === name)),
  };
  return build.reached.flatMap(({ instructions }) =>
    instructions.flatMap((instruction): readonly StaticFinding[] => {
      const copied = copiedFolder(instruction, graph);
      const output = copied === undefined ? undefined : outputOf(copied.stage, graph, sources);
      if (copied === undefined || output === undefined || !isElsewhere(copied.path, output, sources)) return [];
      return [
        {
          level: 'problem',
          title: 'COPY source',
          file: dockerfile.file,
          line: instruction.line,
          message: `"${copied.path}" is made by no step of the stage "${copied.name}": "vite build" writes to "${output.folder}"${output.place}`,
        },
      ];
    }),
  );
}

/** The one absolute path that a COPY takes from a stage of its file. */
function copiedFolder(
  instruction: Instruction,
  graph: StageGraph,
): { readonly name: string; readonly stage: Stage; readonly path: string } | undefined {
  const name = instruction.flags.find((flag) => flag.name === 'from')?.value;
  if (instruction.keyword !== 'copy' || name === undefined) return undefined;
  const [path = '', ...others] = readJsonForm(instruction.rest) ?? instruction.rest.split(/\s+/);
  const origin = graph.resolveFrom(name);
  if (others.length !== 1 || /[*?[$\\]/.test(path) || origin.kind !== 'stage') return undefined;
  return { name, stage: origin.stage, path: posix.join('/', path).replace(/(?<=.)\/$/, '') };
}

interface Output {
  readonly workdir: string;
  /** Absolute. */
  readonly folder: string;
  /** Where that is said, for people. */
  readonly place: string;
  /** All that may make a folder by naming it: commands, the script that they run, copies. */
  readonly texts: readonly string[];
}

/** What Vite leaves in a stage; undefined for a stage without it, and for one that does more than can be told. */
function outputOf(stage: Stage, graph: StageGraph, sources: Sources): Output | undefined {
  const instructions = withBases(stage, graph);
  const workdir = instructions.reduce(
    (folder, { keyword, rest }) => (keyword === 'workdir' ? posix.join('/', folder, rest) : folder),
    '/',
  );
  const isPlain = instructions.every(({ keyword, flags, heredocs }) => {
    if (keyword === 'copy' || keyword === 'add') return !flags.some(({ name }) => name === 'from');
    return heredocs.length === 0 && keyword !== 'onbuild' && keyword !== 'shell';
  });
  if (!isPlain || workdir.includes('$')) return undefined;
  const commands = instructions
    .filter(({ keyword }) => keyword === 'run')
    .flatMap(({ rest }) => (readJsonForm(rest)?.join(' ') ?? rest).split(/&&|\|\||[;|]/).map((text) => text.trim()));
  const script = packageScript(sources);
  const builds = commands.flatMap((command) => {
    if (RUNS_VITE.test(command)) return [command];
    return RUNS_SCRIPT.test(command) && script !== undefined && RUNS_VITE.test(script) ? [script] : [];
  });
  const [only, ...more] = builds;
  const known = commands.filter((command) => MAKES_NO_FOLDER.test(command)).length + builds.length;
  if (only === undefined || more.length > 0 || known < commands.length || /&&|[;|$]/.test(only)) return undefined;
  const chosen = chosenFolder(only, sources);
  if (chosen === undefined) return undefined;
  const copies = instructions.filter(({ keyword }) => keyword === 'copy' || keyword === 'add').map(({ rest }) => rest);
  // The word "build" of the commands themselves names no folder.
  const texts = [...commands, only].map((text) => text.replace(RUNS_VITE, '').replace(RUNS_SCRIPT, ''));
  return { ...chosen, workdir, folder: posix.resolve(workdir, chosen.folder), texts: [...texts, ...copies] };
}

/** A stage's instructions behind those of the stages it is built from. */
function withBases(stage: Stage, graph: StageGraph): readonly Instruction[] {
  const base = graph.baseOf(stage);
  return [...(base.kind === 'stage' ? withBases(base.stage, graph) : []), ...stage.instructions];
}

function packageScript({ context, snapshot }: Sources): string | undefined {
  const text = snapshot.text(posix.join(context, 'package.json'));
  if (text === undefined) return undefined;
  try {
    const script = fieldOf(JSON.parse(text), 'scripts', 'build');
    return typeof script === 'string' ? script.trim() : undefined;
  } catch {
    // npm says so itself, and better.
    return undefined;
  }
}

/** The folder that a command or the configuration names, relative to the working folder; Vite's default is `dist`. */
function chosenFolder(
  command: string,
  { context, snapshot, isRead }: Sources,
): { readonly folder: string; readonly place: string } | undefined {
  const [, flag] = /\s--outDir[ =]["']?([^\s"']+)/.exec(command) ?? [];
  if (flag !== undefined) return { folder: flag, place: ` (--outDir ${flag})` };
  const [name, ...others] = CONFIGS.filter((each) => snapshot.text(posix.join(context, each)) !== undefined);
  if (name === undefined) return { folder: 'dist', place: ', its default' };
  const file = posix.join(context, name);
  const text = snapshot.text(file) ?? '';
  if (!isRead(name)) return undefined;
  // Another root, another file, another mode: then the folder may be any.
  if (others.length > 0 || /\broot\b|\bmode\b|\bdir\b/.test(text) || /\s(?:--config|-c|--mode|-m)\b/.test(command))
    return undefined;
  if (!text.includes('outDir')) return { folder: 'dist', place: ', its default' };
  const [found, ...more] = [...text.matchAll(/\boutDir\s*:\s*(['"`])([^'"`$]+)\1/g)];
  const isOnly = more.length === 0 && text.split('outDir').length === 2;
  if (found?.[2] === undefined || !isOnly) return undefined;
  return { folder: found[2], place: ` (${file}:${text.slice(0, found.index).split('\n').length})` };
}

/** Whether a path is neither what Vite makes nor something that the context, a COPY or a command could have put there. */
function isElsewhere(path: string, { workdir, folder, texts }: Output, { context, snapshot }: Sources): boolean {
  const isWithin = (inner: string, outer: string): boolean => `${inner}/`.startsWith(outer === '/' ? '/' : `${outer}/`);
  if (!isWithin(path, workdir) || isWithin(path, folder) || isWithin(folder, path)) return false;
  const [first = ''] = posix.relative(workdir, path).split('/');
  const place = posix.join(context, first);
  const isInContext = snapshot.entries.some((entry) => entry.path === place || entry.path.startsWith(`${place}/`));
  return !isInContext && !texts.some((text) => text.includes(first));
}
