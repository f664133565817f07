/** The built-in actions/checkout: a real fetch of the event's commit, as shallow as the real one makes it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TriggerEvent } from '../runner/trigger-event.ts';
import { git } from './git.ts';
import type { BuiltinAction, BuiltinStep } from './run-settings.ts';
import { within } from './uses.ts';

/** Inputs that change nothing here: credentials and progress have no part in a fetch from a folder. */
const acceptedInputs = new Set(
  'clean fetch-depth fetch-tags path persist-credentials ref repository set-safe-directory show-progress submodules token'.split(
    ' ',
  ),
);

/** GitHub serves any commit that a ref reaches; a plain upload-pack would refuse one that no ref names. */
const uploadPack = 'git -c uploadpack.allowAnySHA1InWant=true -c uploadpack.allowFilter=true upload-pack';

interface Target {
  /** `+source:destination` for the fetch. */
  readonly refspec: string;
  /** A local branch to make, or undefined for a detached head. */
  readonly branch: string | undefined;
  readonly start: string;
}

export function createCheckout(
  source: { readonly repository: string; readonly name: string },
  event: TriggerEvent,
  repositories: ReadonlyMap<string, string>,
): BuiltinAction {
  return async (step) => {
    checkInputs(step);
    const name = step.inputs['repository'] || source.name;
    const isOwn = name.toLowerCase() === source.name.toLowerCase();
    const folder = isOwn ? source.repository : repositories.get(name.toLowerCase());
    if (folder === undefined) throw new Error(`actions/checkout: the repository '${name}' is not mapped to a folder`);
    const workspace = within(step.job.workspace, step.inputs['path'] || '.', 'path');
    const ref = step.inputs['ref'] || '';
    const target = ref === '' && isOwn ? eventTarget(event) : await refTarget(folder, ref || 'HEAD');
    await fetchInto(workspace, { folder, url: `${String(step.job.github['server_url'])}/${name}` }, target, step);
    const commit = (await git(workspace, ['rev-parse', 'HEAD'])).trim();
    step.print(`HEAD is now at ${commit}`);
    return { outputs: { commit, ref: ref || event.ref } };
  };
}

function checkInputs(step: BuiltinStep): void {
  const inert = new Set(['', 'false']);
  for (const [name, value] of Object.entries(step.inputs)) {
    if (!acceptedInputs.has(name) && !inert.has(value)) {
      throw new Error(`actions/checkout: the input '${name}' is not supported by this runner`);
    }
  }
}

async function fetchInto(
  workspace: string,
  origin: { readonly folder: string; readonly url: string },
  target: Target,
  step: BuiltinStep,
): Promise<void> {
  await mkdir(workspace, { recursive: true });
  await git(workspace, ['init', '--quiet', '--initial-branch=main', '.']);
  // The remote has the address users see; git is told to read it from the folder.
  await git(workspace, ['config', `url.${pathToFileURL(origin.folder).href}.insteadOf`, origin.url]);
  await git(workspace, ['config', 'remote.origin.url', origin.url]);
  await git(workspace, ['config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*']);
  await git(workspace, ['config', 'remote.origin.uploadpack', uploadPack]);
  const depth = Number(step.inputs['fetch-depth'] || '1');
  if (!Number.isInteger(depth) || depth < 0)
    throw new Error(`actions/checkout: fetch-depth '${step.inputs['fetch-depth']}' is no number`);
  const shallow = depth === 0 ? [] : [`--depth=${depth}`];
  const fetch = (...refspecs: readonly string[]): Promise<string> =>
    git(workspace, ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', ...shallow, 'origin', ...refspecs]);
  const tags = '+refs/tags/*:refs/tags/*';
  if (depth === 0) await fetch('+refs/heads/*:refs/remotes/origin/*', tags);
  else if (step.inputs['fetch-tags'] === 'true') await fetch(tags);
  // On its own: the branch may have moved on since the event, and a ref cannot be fetched from two sources at once.
  await fetch(target.refspec);
  const switching = target.branch === undefined ? ['--detach', target.start] : ['-B', target.branch, target.start];
  await git(workspace, ['checkout', '--quiet', '--force', ...switching]);
  const submodules = step.inputs['submodules'] || 'false';
  if (submodules !== 'false') {
    const recursive = submodules === 'recursive' ? ['--recursive'] : [];
    // Submodules of a test repository are folders; git refuses the file protocol for them unless told.
    await git(workspace, [
      '-c',
      'protocol.file.allow=always',
      'submodule',
      'update',
      '--quiet',
      '--init',
      '--force',
      ...shallow,
      ...recursive,
    ]);
  }
}

/** What the real action fetches for an event: the commit, under the name of its ref. */
function eventTarget({ ref, sha }: TriggerEvent): Target {
  if (ref.startsWith('refs/heads/')) {
    const branch = ref.slice('refs/heads/'.length);
    return { refspec: `+${sha}:refs/remotes/origin/${branch}`, branch, start: `refs/remotes/origin/${branch}` };
  }
  if (ref.startsWith('refs/pull/')) {
    const name = `refs/remotes/pull/${ref.slice('refs/pull/'.length)}`;
    return { refspec: `+${sha}:${name}`, branch: undefined, start: name };
  }
  return { refspec: `+${sha}:${ref}`, branch: undefined, start: ref };
}

async function refTarget(folder: string, ref: string): Promise<Target> {
  if (/^[0-9a-f]{40}$/.test(ref)) return { refspec: ref, branch: undefined, start: ref };
  const head = (await git(folder, ['symbolic-ref', '--short', 'HEAD'])).trim();
  const name = ref === 'HEAD' ? head : ref.replace(/^refs\/(?:heads|tags)\//, '');
  const refs = (await git(folder, ['for-each-ref', '--format=%(refname)'])).split('\n');
  if (refs.includes(`refs/heads/${name}`) && !ref.startsWith('refs/tags/')) {
    const remote = `refs/remotes/origin/${name}`;
    return { refspec: `+refs/heads/${name}:${remote}`, branch: name, start: remote };
  }
  for (const [known, local] of [
    [`refs/tags/${name}`, `refs/tags/${name}`],
    [ref, ref.replace(/^refs\//, 'refs/remotes/')],
  ] as const) {
    if (refs.includes(known)) return { refspec: `+${known}:${local}`, branch: undefined, start: local };
  }
  throw new Error(`actions/checkout: A branch or tag with the name '${ref}' could not be found`);
}

/** Where a job's files lie, in the layout of GitHub's own runners. */
export function workspaceFolder(root: string, repositoryName: string): string {
  const name = repositoryName.split('/')[1] ?? 'repository';
  return join(root, 'work', name, name);
}
