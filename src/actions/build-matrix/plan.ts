import { type Base, readHead, resolveBase } from '../../core/git/base-commit.ts';
import { planBase } from '../../core/git/base-plan.ts';
import type { Git } from '../../core/git/git.ts';
import { readBlobs, readChanges, readTree, type TreeChange, undoChanges } from '../../core/git/tree.ts';
import { ContextFiles } from '../../core/images/context-files.ts';
import { type Discovery, type DiscoveryOptions, discoverImages } from '../../core/images/discover.ts';
import type { PrintBake } from '../../core/images/print-bake.ts';
import { type PlannedRow, planRows, type RowOptions } from '../../core/images/row-plan.ts';
import type { ChangedPath, Comparison } from '../../core/images/row-selection.ts';
import { type BlobCache, createSnapshot, type Snapshot } from '../../core/images/snapshot.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { RunnerEvent } from '../../core/runner/event.ts';
import type { contract } from './contract.ts';

/** The images of the checked-out commit, and its rows, all of them. */
export interface HeadPlan {
  readonly commit: string;
  readonly snapshot: Snapshot;
  readonly files: ContextFiles;
  readonly discovery: Discovery;
  readonly rows: readonly PlannedRow[];
}

export type Inputs = InputsOf<typeof contract>;

/** What one run asks: git's answers (blobs are read once, whichever commit asks), and bake. */
export interface Repository {
  readonly git: Git;
  readonly printBake: PrintBake;
  readonly blobs: BlobCache;
}

/** Plans every row of the commit that is checked out. */
export async function planHead(repository: Repository, inputs: Inputs, event: RunnerEvent): Promise<HeadPlan> {
  const { id: commit } = await readHead(repository.git);
  const snapshot = snapshotOf(repository, await readTree(repository.git, commit));
  const discovery = await discoverImages(snapshot, discoveryOptions(repository, inputs, event));
  if (discovery.definitions.length === 0 && discovery.refused.length === 0) {
    throw new ConfigurationError(
      'no image was found: there is no .github/images.yml, no bake file, no compose file with a build, and no Dockerfile in this commit',
    );
  }
  const onProblem = (error: ConfigurationError): never => {
    throw error;
  };
  const files = new ContextFiles(snapshot);
  const rows = await planRows(snapshot, discovery.definitions, { ...rowOptions(inputs), files, onProblem });
  return { commit, snapshot, files, discovery, rows };
}

/** Finds what the commit is compared with, and plans its rows as they were there. */
export async function planComparison(
  repository: Repository,
  head: HeadPlan,
  inputs: Inputs,
  event: RunnerEvent,
): Promise<Comparison> {
  const { git } = repository;
  const base = await resolveBase(git, planBase(event, await readHead(git), inputs.changedOnly, inputs.base));
  if (base.commit === undefined) return { kind: 'everything', reason: base.reason };
  const changes = await readChanges(git, base.commit, head.commit);
  const description = describeBase(base);
  if (changes.length === 0) return { kind: 'base', rows: head.rows, changes: [], description };
  const snapshot = snapshotOf(repository, undoChanges(head.snapshot.entries, changes));
  try {
    const { definitions } = await discoverImages(snapshot, discoveryOptions(repository, inputs, event));
    const files = new ContextFiles(snapshot, { files: head.files, changed: changes.map(({ path }) => path) });
    // An image that was broken at the base has no row there, and so is new.
    const onProblem = (): void => undefined;
    const rows = await planRows(snapshot, definitions, { ...rowOptions(inputs), files, onProblem });
    return { kind: 'base', rows, changes: changes.map(toChangedPath), description };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { kind: 'everything', reason: `the images of ${description} cannot be read (${error.message})` };
  }
}

/** Those of the paths that an ignore file of git's names, whether they are there or not. */
export async function findGitIgnored(git: Git, paths: readonly string[]): Promise<ReadonlySet<string>> {
  // A path behind a symbolic link or outside is a fatal error to git, and no path of a commit.
  const inside = paths.filter((path) => path !== '' && path !== '.' && !path.startsWith('../'));
  if (inside.length === 0) return new Set();
  // Nothing lies there, so git cannot see that a path is a folder: patterns such as `models/` and `models/*` are asked for.
  const forms = new Map(inside.flatMap((path) => ['', '/', '/file'].map((end) => [`${path}${end}`, path] as const)));
  const input = [...forms.keys()].map((path) => `${path}\0`).join('');
  const { stdout } = await git.run(['check-ignore', '--no-index', '-z', '--stdin'], { input, allowFailure: true });
  return new Set(stdout.split('\0').flatMap((path) => forms.get(path) ?? []));
}

function snapshotOf({ git, blobs }: Repository, entries: Snapshot['entries']): Snapshot {
  return createSnapshot(entries, (ids) => readBlobs(git, ids), blobs);
}

function discoveryOptions({ git, printBake }: Repository, inputs: Inputs, event: RunnerEvent): DiscoveryOptions {
  const { config, source, files, projectDirectory } = inputs;
  const repository = event.repository.split('/').at(-1)?.toLowerCase() || 'app';
  const gitIgnored = (paths: readonly string[]) => findGitIgnored(git, paths);
  return { config, source, files, projectDirectory, repository, gitIgnored, printBake };
}

function rowOptions({ platforms, runners }: Inputs): Omit<RowOptions, 'files' | 'onProblem'> {
  const wrong = platforms.find((platform) => !/^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/.test(platform));
  if (wrong !== undefined)
    throw new ConfigurationError(`"platforms" holds "${wrong}", which is no platform such as linux/amd64`);
  return { platforms: platforms.length === 0 ? ['linux/amd64'] : platforms, runners };
}

function describeBase({ commit = '', reason }: Base): string {
  return `${commit.slice(0, 12)} (${reason})`;
}

function toChangedPath({ path, before, after }: TreeChange): ChangedPath {
  return { path, kind: before === undefined ? 'added' : after === undefined ? 'deleted' : 'changed' };
}
