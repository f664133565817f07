import { parseProgressLine, type Vertex, type VertexLog, type VertexWarning } from './progress-events.ts';

/** One step of the build: an instruction of a stage, or something BuildKit does around it. */
export interface Step {
  readonly name: string;
  /** The stage's name, or undefined for steps outside of stages: loading, exporting, caches. */
  readonly stage: string | undefined;
  /** `3/7`: the instruction's place among those of its stage. */
  readonly place: string | undefined;
  /** What its bake target is shown as, when the definition has several. */
  readonly target: string | undefined;
  readonly platform: string | undefined;
  readonly instruction: string;
  readonly started: number | undefined;
  readonly completed: number | undefined;
  readonly isCached: boolean;
  readonly error: string | undefined;
  /** The last lines that the step printed. */
  readonly output: readonly string[];
  /** The last lines of its standard error: BuildKit does not keep the order between the two streams. */
  readonly errorOutput: readonly string[];
  /** Lines before `output`, which were not kept. */
  readonly droppedLines: number;
}

/** Bake targets, and what a step of each is shown with: `''` where there is only one image to speak of. */
export type TargetLabels = ReadonlyMap<string, string>;

export interface Progress {
  /** Takes one line of stderr. */
  readonly read: (line: string) => void;
  readonly steps: () => readonly Step[];
  readonly warnings: () => readonly VertexWarning[];
  /** Lines that were no progress: buildx's own words, its error among them. */
  readonly text: () => string;
}

/** A build of more steps is shown without the rest; the largest seen in the field has some hundreds. */
const MAX_STEPS = 10_000;
const MAX_LINES = 400;
const MAX_ERROR_LINES = 20;
const MAX_LINE = 4_000;
const MAX_TEXT_LINES = 400;
const MAX_WARNINGS = 200;

interface StepState {
  vertex: Vertex;
  lines: string[];
  errorLines: string[];
  /** The unfinished last line of each stream. */
  open: { output: string; error: string };
  dropped: number;
  isAnnounced: boolean;
}

/**
 * Follows a build's progress in bounded memory.
 *
 * Bake repeats a step that several targets share under each target's name, with the same digest: it is one step here.
 * `onCompleted` is called once a step, when it has ended; `targets` are the names a step may be prefixed with.
 */
export function followProgress(targets: TargetLabels, onCompleted: (step: Step) => void = () => undefined): Progress {
  const states = new Map<string, StepState>();
  const warnings = new Map<string, VertexWarning>();
  const text: string[] = [];

  const takeVertex = (vertex: Vertex): void => {
    const state = states.get(vertex.digest);
    if (state === undefined) {
      if (states.size < MAX_STEPS) states.set(vertex.digest, newState(vertex));
    } else {
      state.vertex = merge(state.vertex, vertex);
    }
  };
  const announce = (digest: string): void => {
    const state = states.get(digest);
    if (state === undefined || state.isAnnounced || state.vertex.completed === undefined) return;
    state.isAnnounced = true;
    onCompleted(toStep(state, targets));
    // What has been shown need not be kept: a build of many steps would otherwise fill the memory.
    if (state.vertex.error === undefined) Object.assign(state, { lines: [], errorLines: [], dropped: 0 });
  };

  return {
    read(line) {
      const events = parseProgressLine(line);
      if (events === undefined) {
        text.push(line.slice(0, MAX_LINE));
        if (text.length > MAX_TEXT_LINES) text.shift();
        return;
      }
      events.vertexes.forEach(takeVertex);
      for (const log of events.logs) keepOutput(states.get(log.vertex), log);
      for (const warning of events.warnings) {
        if (warnings.size < MAX_WARNINGS) warnings.set(`${warning.file}:${warning.line}:${warning.message}`, warning);
      }
      for (const { digest } of events.vertexes) announce(digest);
    },
    steps: () => [...states.values()].map((state) => toStep(state, targets)),
    warnings: () => [...warnings.values()],
    text: () => text.join('\n'),
  };
}

/** Later news of a step: the earliest start, the latest end, and the first name stay. A FROM ends and starts again. */
function merge(before: Vertex, after: Vertex): Vertex {
  const isAgain =
    after.completed === undefined && (after.started ?? 0) > (before.completed ?? Number.POSITIVE_INFINITY);
  return {
    digest: before.digest,
    name: before.name,
    started: least(before.started, after.started),
    completed: isAgain ? undefined : greatest(before.completed, after.completed),
    isCached: before.isCached || after.isCached,
    error: before.error ?? after.error,
  };
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function greatest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function newState(vertex: Vertex): StepState {
  return { vertex, lines: [], errorLines: [], open: { output: '', error: '' }, dropped: 0, isAnnounced: false };
}

function keepOutput(state: StepState | undefined, { text, isError }: VertexLog): void {
  if (state === undefined) return;
  const stream = isError ? 'error' : 'output';
  const lines = (state.open[stream] + text).split('\n');
  state.open[stream] = (lines.pop() ?? '').slice(-MAX_LINE);
  // A carriage return is a progress bar redrawing its line: only what it shows last is kept.
  const shown = lines.map((line) => (line.replace(/\r$/, '').split('\r').pop() ?? '').slice(0, MAX_LINE));
  for (const line of shown) state.lines.push(line);
  if (isError) state.errorLines = [...state.errorLines, ...shown.slice(-MAX_ERROR_LINES)].slice(-MAX_ERROR_LINES);
  if (state.lines.length > 2 * MAX_LINES) {
    state.dropped += state.lines.length - MAX_LINES;
    state.lines = state.lines.slice(-MAX_LINES);
  }
}

function toStep(state: StepState, targets: TargetLabels): Step {
  const { name, started, completed, isCached, error } = state.vertex;
  const { open } = state;
  const all = [...state.lines, open.output, open.error].filter((line, at) => at < state.lines.length || line !== '');
  const output = all.slice(-MAX_LINES);
  return {
    name,
    ...parseStepName(name, targets),
    started,
    completed,
    isCached,
    error,
    output,
    errorOutput: [...state.errorLines, open.error].filter((line) => line !== ''),
    droppedLines: state.dropped + all.length - output.length,
  };
}

const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+/;

type StepName = Pick<Step, 'stage' | 'place' | 'target' | 'platform' | 'instruction'>;

/**
 * Reads `[target os/arch stage 2/5] RUN …`, of which target and platform stand only where there are several.
 * Steps outside of stages are `[target internal] load …`, `[target] exporting …` or bare words.
 */
export function parseStepName(name: string, targets: TargetLabels): StepName {
  const match = /^\[([^\]]+)\] ([\s\S]*)$/.exec(name);
  if (match === null)
    return { stage: undefined, place: undefined, target: undefined, platform: undefined, instruction: name };
  const words = (match[1] ?? '').split(' ');
  const place = /^\d+\/\d+$/.test(words.at(-1) ?? '') ? words.pop() : undefined;
  const label = targets.get(words[0] ?? '');
  if (label !== undefined) words.shift();
  // A Dockerfile's only stage has no name in BuildKit's text, even where the Dockerfile gives it one.
  const isNamed = place !== undefined && words.length > 0 && !PLATFORM.test(words.at(-1) ?? '');
  const stage = isNamed ? words.pop() : place === undefined ? undefined : 'build';
  const target = label === '' ? undefined : label;
  const platform = words.find((word) => PLATFORM.test(word));
  const rest = words.filter((word) => word !== platform).join(' ');
  const instruction = stage === undefined && rest !== '' ? `[${rest}] ${match[2] ?? ''}` : (match[2] ?? '');
  return { stage, place, target, platform, instruction };
}
