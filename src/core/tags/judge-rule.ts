import { ConfigurationError } from '../runner/errors.ts';
import type { RenderTemplate, TemplateView } from './expressions.ts';
import type { TagFacts } from './facts.ts';
import type { Flavor } from './flavor.ts';
import { nameForForeign } from './legal-tag.ts';
import type { Rule } from './rules.ts';
import { viewOf } from './template-view.ts';
import { namesOneVersion, renderVersion, type VersionRule, versionIn } from './version-names.ts';
import { type Version, versionOfTag } from './versions.ts';

/** A rule that gave a name, before the name is made legal. */
export interface Fired {
  readonly rule: Rule;
  readonly fires: true;
  /** Without prefix and suffix. */
  readonly value: string;
  /** With them. */
  readonly name: string;
  /** Whether, under `latest=auto`, the rule makes its run the latest. */
  readonly isLatest: boolean;
  /** True for a name that belongs to this one version or commit. */
  readonly isImmutable: boolean;
  readonly version: Version | undefined;
  /** The value for which a hash had to stand in, because a tag can hold nothing of it. */
  readonly foreign: string | undefined;
}

/** A rule that gave none, and why. */
export interface Passed {
  readonly rule: Rule;
  readonly fires: false;
  readonly reason: string;
  /** True where the rule was meant for this run and could not serve it: worth a warning. */
  readonly isSuspect: boolean;
}

export type Verdict = Fired | Passed;

/** What rules are judged with. */
export interface Judgement {
  readonly facts: TagFacts;
  readonly flavor: Flavor;
  readonly render: RenderTemplate;
  /** What templates can name: the facts, by their names in templates. */
  readonly view: TemplateView;
}

/** Puts together what rules are judged with. */
export function judgementOf(facts: TagFacts, flavor: Flavor, render: RenderTemplate): Judgement {
  return { facts, flavor, render, view: viewOf(facts) };
}

/**
 * Judges one rule. Semantics of docker/metadata-action v6.2 (README, "tags input"), with its defects mended.
 * Throws ConfigurationError, with the rule's line, for a template that does not render or an illegal `enable`.
 */
export function judgeRule(rule: Rule, judgement: Judgement): Verdict {
  try {
    const enable = judgement.render(rule.enable, judgement.view).trim();
    if (enable !== 'true' && enable !== 'false') {
      throw new ConfigurationError(`"enable" came out as "${enable}"; it must be true or false`);
    }
    if (enable === 'false') return passed(rule, 'enable is false');
    return judgeEnabled(rule, judgement);
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new ConfigurationError(`line ${rule.line}: ${cause.message}`, { cause });
  }
}

function judgeEnabled(rule: Rule, judgement: Judgement): Verdict {
  const { facts, render, view } = judgement;
  switch (rule.type) {
    case 'schedule':
      if (!canFire(rule, facts)) return passed(rule, `the event is ${facts.eventName || 'none'}, not schedule`);
      return fired(rule, render(rule.pattern, view), judgement);
    case 'semver':
    case 'pep440':
      return judgeVersion(rule, judgement);
    case 'match': {
      const source = sourceOf(rule.value, judgement);
      if (source === undefined) return passed(rule, 'the ref is no tag, and no value is given');
      const match = rule.pattern.exec(source);
      if (match === null) return suspect(rule, `"${source}" does not match ${String(rule.pattern)}`);
      const value = match[rule.group];
      return value === undefined
        ? suspect(rule, `${String(rule.pattern)} has no group ${rule.group} in "${source}"`)
        : fired(rule, value, judgement, { isLatest: true });
    }
    case 'edge': {
      const branch = rule.branch || facts.repository.defaultBranch;
      if (branch === undefined)
        return suspect(rule, 'the default branch is not known; name it, as in type=edge,branch=main');
      if (facts.ref.branch !== branch) return passed(rule, `the ref is not the branch ${branch}`);
      return fired(rule, 'edge', judgement);
    }
    case 'ref':
      return judgeRef(rule, judgement);
    case 'raw':
      return fired(rule, render(rule.value, view), judgement);
    case 'sha': {
      if (facts.sha === '') return passed(rule, 'the run has no commit');
      const sha = rule.format === 'long' ? facts.sha : facts.sha.slice(0, facts.shortShaLength);
      return fired(rule, sha, judgement, { isImmutable: true, defaultPrefix: 'sha-' });
    }
  }
}

/** False for a rule whose event or ref is another one, whatever it says: its pattern is never rendered. */
export function canFire(rule: Rule, facts: Pick<TagFacts, 'eventName' | 'ref'>): boolean {
  switch (rule.type) {
    case 'schedule':
      return facts.eventName.includes('schedule');
    case 'semver':
    case 'pep440':
    case 'match':
      return rule.value !== '' || facts.ref.tag !== undefined;
    default:
      return true;
  }
}

type RefRule = Extract<Rule, { readonly type: 'ref' }>;

function judgeRef(rule: RefRule, judgement: Judgement): Verdict {
  const { ref } = judgement.facts;
  switch (rule.event) {
    case 'branch':
      return ref.branch === undefined ? passed(rule, 'the ref is no branch') : fired(rule, ref.branch, judgement);
    case 'tag':
      return ref.tag === undefined
        ? passed(rule, 'the ref is no tag')
        : fired(rule, ref.tag, judgement, { isLatest: true, isImmutable: versionOfTag(ref.tag)?.scheme === 'semver' });
    case 'pr':
      return ref.pullRequest === undefined
        ? passed(rule, 'the run is for no pull request')
        : fired(rule, ref.pullRequest, judgement, { defaultPrefix: 'pr-' });
  }
}

function judgeVersion(rule: VersionRule, judgement: Judgement): Verdict {
  const source = sourceOf(rule.value, judgement);
  if (source === undefined) return passed(rule, 'the ref is no tag, and no value is given');
  const version = versionIn(rule, source.replaceAll('/', '-'));
  if (typeof version === 'string') return suspect(rule, version);
  const name = renderVersion(rule, version, judgement);
  if (name === '') return passed(rule, `"${rule.pattern}" is empty for ${version.text}`);
  return fired(rule, name, judgement, {
    isLatest: version.isFinal,
    isImmutable: namesOneVersion(rule, version),
    version,
  });
}

function sourceOf(value: string, { facts, render, view }: Judgement): string | undefined {
  return value === '' ? facts.ref.tag : render(value, view);
}

interface Firing {
  readonly isLatest?: boolean;
  readonly isImmutable?: boolean;
  readonly defaultPrefix?: string;
  readonly version?: Version;
}

function fired(rule: Rule, value: string, judgement: Judgement, more: Firing = {}): Verdict {
  if (value === '') return passed(rule, 'its value is empty');
  const legalValue = nameForForeign(value);
  return {
    rule,
    fires: true,
    value: legalValue,
    name: surround(legalValue, rule, judgement, more.defaultPrefix),
    isLatest: more.isLatest ?? false,
    isImmutable: more.isImmutable ?? false,
    version: more.version,
    foreign: value === legalValue ? undefined : value,
  };
}

/** Puts prefix and suffix around a value: the rule's, else those of its type, else the flavor's. */
function surround(value: string, rule: Rule, { flavor, render, view }: Judgement, defaultPrefix?: string): string {
  return `${render(rule.prefix ?? defaultPrefix ?? flavor.prefix, view)}${value}${render(rule.suffix ?? flavor.suffix, view)}`;
}

/** The name a rule always gives when it fires, such as `edge` or `nightly`; undefined where the run decides over it. */
export function fixedName(rule: Rule, judgement: Judgement): string | undefined {
  const value =
    rule.type === 'edge' ? 'edge' : rule.type === 'raw' ? rule.value : rule.type === 'schedule' ? rule.pattern : '';
  return value === '' || value.includes('{{') ? undefined : surround(value, rule, judgement);
}

function passed(rule: Rule, reason: string): Passed {
  return { rule, fires: false, reason, isSuspect: false };
}

function suspect(rule: Rule, reason: string): Passed {
  return { rule, fires: false, reason, isSuspect: true };
}
