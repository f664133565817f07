import { fieldOf, type RunnerEvent } from '../runner/event.ts';
import type { Log } from '../runner/log.ts';
import { mentions } from './expressions.ts';
import { baseRefOf, type RefFacts, type RepositoryFacts, refOfEvent, type TagFacts } from './facts.ts';
import type { GitRepository } from './git-facts.ts';
import {
  type AskApi,
  commitDateOfApi,
  commitDateOfPayload,
  gitTagsOfApi,
  repositoryOfApi,
  repositoryOfPayload,
} from './repository-facts.ts';
import type { Rule } from './rules.ts';

/** Which facts are wanted, and where they may be looked for. */
export interface FactWishes {
  readonly context: 'workflow' | 'git';
  readonly usePullRequestHead: boolean;
  readonly shortShaLength: number;
  /** Undefined for the suite's own rules. */
  readonly rules: readonly Rule[] | undefined;
  /** Every template of the inputs. */
  readonly templates: readonly string[];
  readonly latestGuard: boolean;
  /** Refs that the user names: in full, or branches by their short name. */
  readonly knownRefs: readonly string[];
}

export interface FactSources {
  readonly event: RunnerEvent;
  readonly git: GitRepository;
  readonly askApi: AskApi;
  readonly log: Log;
  readonly now: Date;
}

/** Gathers what `planTags` decides by, and asks for nothing that no rule and no label needs. */
export async function gatherFacts(wishes: FactWishes, sources: FactSources): Promise<TagFacts> {
  const { event, git, log, now } = sources;
  const { ref, sha } = wishes.context === 'git' ? await git.head(event.ref) : refOfEvent(event, wishes);
  if (wishes.context === 'git' && ref.fullName === '')
    log.notice(`HEAD is detached and no branch or tag points at ${sha}: it has its commit alone for a name`);
  const [repository, commitDate, gitTags, refs] = await Promise.all([
    gatherRepository(sources),
    mentions(wishes.templates, 'commit_date') ? gatherCommitDate(sha, sources) : now,
    wishes.latestGuard && canNameVersion(ref, wishes.rules) ? gatherTags(ref, sources) : undefined,
    wishes.rules === undefined || wishes.rules.some(({ type }) => type === 'ref') ? git.refs() : [],
  ]);
  return {
    eventName: event.name,
    ref,
    sha,
    shortShaLength: wishes.shortShaLength,
    isPrerelease: fieldOf(event.payload, 'release', 'prerelease') === true,
    baseRef: baseRefOf(event, ref),
    repository,
    now,
    commitDate,
    gitTags,
    knownRefs: [...new Set([...wishes.knownRefs.map(fullNameOf), ...refs])],
  };
}

/** The event's payload mostly tells all; the API is asked for what it leaves out. */
async function gatherRepository({ event, git, askApi }: FactSources): Promise<RepositoryFacts> {
  const told = repositoryOfPayload(event);
  const isWhole = told.description !== undefined && told.license !== undefined && told.defaultBranch !== undefined;
  const known = isWhole || event.repository === '' ? told : await repositoryOfApi(event, askApi);
  return known.defaultBranch === undefined ? { ...known, defaultBranch: await git.defaultBranch() } : known;
}

async function gatherCommitDate(sha: string, { event, git, askApi, log, now }: FactSources): Promise<Date> {
  const date = commitDateOfPayload(event, sha) ?? (await git.commitDate(sha)) ?? (await commitDateOfApi(sha, askApi));
  if (date === undefined) log.warning('the date of the commit is not known; {{commit_date}} is the time of this run');
  return date ?? now;
}

async function gatherTags(
  { tag }: RefFacts,
  { git, askApi, log }: FactSources,
): Promise<readonly string[] | undefined> {
  const { names, isWhole } = await git.tags();
  // A clone without the run's own tag was made without tags, or before it was set.
  if (isWhole && (tag === undefined || names.includes(tag))) return names;
  const told = await gitTagsOfApi(askApi);
  if (told !== undefined) return told;
  log.warning(
    `the git tags of the repository are not all known, so that a newer version may have gone unseen: ${names.length} of them were looked at`,
  );
  return names;
}

function canNameVersion(ref: RefFacts, rules: readonly Rule[] | undefined): boolean {
  return (
    ref.tag !== undefined ||
    rules?.some((rule) => (rule.type === 'semver' || rule.type === 'pep440') && rule.value !== '') === true
  );
}

function fullNameOf(name: string): string {
  return name.startsWith('refs/') ? name : `refs/heads/${name}`;
}
