import { entriesBelow } from '../dockerfile/context.ts';
import type { Snapshot } from '../images/snapshot.ts';
import { readYamlFile, type YamlFields } from '../images/yaml-file.ts';
import { ConfigurationError } from '../runner/errors.ts';

/** What of a workflow the static checks speak of. */
export interface Workflow {
  readonly file: string;
  /** By event: the branch and tag filters that it has. */
  readonly triggers: ReadonlyMap<string, TriggerFilter>;
  readonly steps: readonly WorkflowStep[];
}

export interface TriggerFilter {
  readonly branches: readonly string[];
  readonly hasBranchFilter: boolean;
  readonly hasTagFilter: boolean;
  readonly line: number;
}

export interface WorkflowStep {
  /** The action without its revision: `docker/metadata-action`. */
  readonly action: string;
  /** An input's text; undefined where it is not given. */
  readonly input: (name: string) => string | undefined;
  /** The line of an input, or of the step. */
  readonly lineOf: (input: string) => number;
}

const FOLDER = '.github/workflows';
const IMAGE_ACTION = /uses:.*(?:metadata-action|metadata-tags|build-push-action|multistage-build|build-matrix)/;
const MAX_WORKFLOWS = 200;

/**
 * The workflows of a commit that build or name images. One that is no YAML is passed over: GitHub itself says so.
 */
export async function readWorkflows(snapshot: Snapshot): Promise<readonly Workflow[]> {
  const files = workflowFiles(snapshot);
  await snapshot.load(files);
  return files.flatMap((file) => {
    const text = snapshot.text(file) ?? '';
    if (!IMAGE_ACTION.test(text)) return [];
    try {
      return [toWorkflow(readYamlFile(text, file), file)];
    } catch (error) {
      if (error instanceof ConfigurationError) return [];
      throw error;
    }
  });
}

/** True where some workflow of the commit reads an output, such as `shards`, of some step. */
export async function readsOutput(snapshot: Snapshot, output: string): Promise<boolean> {
  const files = workflowFiles(snapshot);
  await snapshot.load(files);
  return files.some((file) => snapshot.text(file)?.includes(`outputs.${output}`) === true);
}

function workflowFiles(snapshot: Snapshot): readonly string[] {
  return entriesBelow(snapshot.entries, FOLDER)
    .filter(({ path }) => /^[^/]+\.ya?ml$/.test(path))
    .map(({ path }) => `${FOLDER}/${path}`)
    .slice(0, MAX_WORKFLOWS);
}

function toWorkflow(top: YamlFields, file: string): Workflow {
  const jobs = top.fields('jobs');
  return {
    file,
    triggers: readTriggers(top),
    steps: jobs.keys().flatMap((job) => jobs.fields(job).items('steps').flatMap(toStep)),
  };
}

/** `on: push`, `on: [push, pull_request]`, or a mapping of events to filters. */
function readTriggers(top: YamlFields): ReadonlyMap<string, TriggerFilter> {
  const on = top.get('on');
  if (typeof on === 'string' || Array.isArray(on)) {
    return new Map(top.list('on').map((event) => [event, toFilter(undefined, top.place('on').line)]));
  }
  const events = top.fields('on');
  return new Map(
    events.keys().map((event) => {
      const given = events.get(event);
      const filter = typeof given === 'object' && !Array.isArray(given) ? events.fields(event) : undefined;
      return [event, toFilter(filter, filter?.place('branches').line ?? events.place(event).line)];
    }),
  );
}

function toFilter(fields: YamlFields | undefined, line = 1): TriggerFilter {
  const has = (key: string): boolean => fields?.get(key) !== undefined;
  return {
    branches: fields?.list('branches') ?? [],
    hasBranchFilter: has('branches') || has('branches-ignore'),
    hasTagFilter: has('tags') || has('tags-ignore'),
    line,
  };
}

function toStep(step: YamlFields): readonly WorkflowStep[] {
  const uses = step.get('uses');
  if (typeof uses !== 'string') return [];
  const inputs = step.fields('with');
  return [
    {
      action: uses.replace(/@.*$/, ''),
      input: (name) => {
        const value = inputs.get(name);
        return typeof value === 'string' || typeof value === 'boolean' ? String(value) : undefined;
      },
      lineOf: (name) => (inputs.get(name) === undefined ? step.place('uses') : inputs.place(name)).line ?? 1,
    },
  ];
}
