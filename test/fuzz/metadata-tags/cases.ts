import { isRecord, readEvent } from '../../../src/core/runner/event.ts';
import type { Log } from '../../../src/core/runner/log.ts';
import { refFactsOf } from '../../../src/core/tags/facts.ts';
import type { FactSources } from '../../../src/core/tags/gather-facts.ts';
import { githubEvents, SHA } from '../../harness/github-events.ts';

/** Variables of the runner's. */
export type Variables = Readonly<Record<string, string>>;

/** A run, as data that a failure can print. */
export interface FuzzRun {
  readonly environment: Variables;
  readonly payload: Readonly<Record<string, unknown>>;
  /** What a clone would tell. */
  readonly clone: { readonly tags: readonly string[]; readonly refs: readonly string[]; readonly isWhole: boolean };
  /** What the API answers to anything. */
  readonly answer: unknown;
}

/** Numbers below a bound, the same for the same seed (Park and Miller's generator). */
type Random = (below: number) => number;

function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2_147_483_647;
    return state % below;
  };
}

const SIGNS = [
  'a',
  'B',
  '1',
  '.',
  '-',
  '/',
  '+',
  'v',
  '日',
  ' ',
  '"',
  '&',
  '_',
  '\u{1f600}',
  '<b>',
  '`',
  '|',
  '{{',
  '$',
];
const VERSIONS = [
  'v1.2.3',
  '1.2.3-rc.1',
  'v1.9.0',
  'v2.0.0+b.1',
  '2026.1',
  '1.2rc1',
  '1!2.post3',
  'app/v1.0.0',
  'v0.1.0',
];
const RULES = [
  'type=schedule',
  "type=schedule,pattern={{date 'YYYYMMDD' tz='Asia/Tokyo'}}",
  'type=semver,pattern={{version}}',
  'type=semver,pattern=v{{major}}.{{minor}}',
  'type=semver,pattern={{major}},match=v?(\\d+\\..*)',
  'type=semver,pattern={{raw}},value=v9.1.0',
  'type=pep440,pattern={{version}}',
  'type=pep440,pattern={{major}}.{{minor}}',
  'type=match,"pattern=\\d{1,3}"',
  'type=match,pattern=(.)(.),group=2',
  'type=edge',
  'type=edge,branch=dev',
  'type=ref,event=branch',
  'type=ref,event=tag',
  'type=ref,event=pr',
  'type=ref,event=branch,prefix=-,suffix=.',
  'type=raw,value=latest',
  'type=raw,value={{branch}}{{tag}}',
  'type=raw,value={{#if tag}}{{tag}}{{else}}{{branch}}{{/if}}',
  "type=raw,value={{commit_date 'YYYY'}}",
  'type=raw,value={{nothing}}-x,priority=950',
  'type=raw,value=x,enable={{is_default_branch}}',
  'type=sha',
  'type=sha,format=long,prefix=',
];
const FLAVORS = [
  'latest=true',
  'latest=false',
  'prefix={{branch}}-,onlatest=true',
  'suffix=+{{sha}}',
  'suffix=-alpine,onlatest=true',
];
const IMAGES = ['ghcr.io/Acme/app', 'app', 'localhost:5000/a/b', 'name=x/y,enable=false', 'a,b/c'];
const LABELS = ['a=1', 'b={{branch}}', '"c=x\ny"', 'no label', 'org.opencontainers.image.title={{tag}}<b>', 'd=${e}'];
const PIECES = [
  ...['type=', 'raw', 'semver', 'match', 'sha', 'ref', 'event=branch', 'pattern=', 'value=', 'enable=', 'prefix='],
  ...['{{', '}}', '{{branch}}', '{{#if tag}}', '{{/if}}', "{{date 'YYYY' tz='", "'}}", '"', '""', ',', '=', '\n'],
  ...['\r\n', '#', ' ', '(', '\\d+', '[', '/', '日本', '\u0000', '::error::x', '__proto__', 'constructor', 'latest'],
];
const JUNK = [null, true, 0, -1, '', 'x', 'refs/heads/x', [], {}, [null], { id: 1 }, 1e21, '\u0000', '2026-13-45'];

/** Inputs (`INPUT_*` and the switches), and runs that have them: the same for the same seed. */
export interface FuzzCase {
  readonly inputs: Variables;
  readonly runs: readonly FuzzRun[];
}

export function* fuzzCases(seed: number, count: number, runsOfEach: number): Generator<FuzzCase> {
  const next = randomOf(seed);
  for (let made = 0; made < count; made += 1)
    yield { inputs: anyInputs(next), runs: Array.from({ length: runsOfEach }, () => anyRun(next)) };
}

function anyRun(next: Random): FuzzRun {
  const trigger = pick(next, Object.values(githubEvents));
  const ref = next(3) === 0 ? (trigger?.ref ?? '') : anyRef(next);
  return {
    environment: {
      GITHUB_EVENT_NAME: next(4) === 0 ? pick(next, ['schedule', 'release', '', 'x']) : (trigger?.name ?? ''),
      GITHUB_REF: ref,
      GITHUB_SHA: pick(next, [SHA, SHA, SHA, '', 'abc', 'f'.repeat(64)]),
      GITHUB_REPOSITORY: pick(next, ['acme/app', 'acme/app', '', 'x']),
    },
    payload: damaged(next, trigger?.payload ?? {}),
    clone: {
      tags: some(next, 4, () => (next(2) === 0 ? pick(next, VERSIONS) : anyName(next))),
      refs: some(next, 4, () => anyRef(next)),
      isWhole: next(2) === 0,
    },
    answer:
      next(2) === 0 ? undefined : pick(next, [...JUNK, { default_branch: 'main' }, [{ ref: 'refs/tags/v3.0.0' }]]),
  };
}

function anyInputs(next: Random): Record<string, string> {
  const sometimes = (chance: number, make: () => string): string => (next(chance) === 0 ? make() : '');
  const of = (list: readonly string[]) => (): string => some(next, 5, () => pick(next, list)).join('\n');
  const soup = (): string => some(next, 7, () => pick(next, PIECES)).join('');
  const given: Record<string, string> = {
    tags: next(12) === 0 ? soup() : sometimes(1, of(RULES)),
    flavor: sometimes(3, next(9) === 0 ? soup : of(FLAVORS)),
    images: sometimes(2, next(9) === 0 ? soup : of(IMAGES)),
    labels: sometimes(3, next(4) === 0 ? soup : of(LABELS)),
    annotations: sometimes(5, next(4) === 0 ? soup : of(LABELS)),
    variant: sometimes(5, () => (next(9) === 0 ? pick(next, ['g/pu', 'x'.repeat(90)]) : pick(next, ['cpu', 'gpu']))),
    ...sometimesMatrix(next),
    'default-variant': sometimes(5, () => pick(next, ['cpu', 'gpu'])),
    'known-refs': sometimes(4, () => some(next, 3, () => anyName(next).replaceAll(',', '')).join('\n')),
    context: sometimes(9, () => 'git'),
    'latest-guard': sometimes(5, () => 'false'),
    'sep-tags': sometimes(6, () => ', '),
  };
  return {
    ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    DOCKER_METADATA_SHORT_SHA_LENGTH: sometimes(20, () => pick(next, ['12', '-3', 'x'])),
    DOCKER_METADATA_ANNOTATIONS_LEVELS: sometimes(20, () => pick(next, ['index', 'manifest,index', 'levle'])),
    DOCKER_METADATA_PR_HEAD_SHA: sometimes(9, () => 'true'),
  };
}

/** A matrix, and mostly names that it fills in. */
function sometimesMatrix(next: Random): Readonly<Record<string, string>> {
  if (next(6) > 0) return {};
  const rows = some(next, 3, () => ({ image: pick(next, ['api', 'web']), variant: pick(next, ['', 'cpu', 'gpu']) }));
  const ids = rows.map((row, index) => ({ ...row, id: `r${index}` }));
  return { matrix: JSON.stringify(ids), variant: '', ...(next(4) === 0 ? {} : { images: 'ghcr.io/acme/{image}' }) };
}

function anyRef(next: Random): string {
  const kinds = [
    'refs/heads/',
    'refs/tags/',
    'refs/tags/',
    'refs/pull/',
    'refs/heads/gh-readonly-queue/main/pr-7-',
    '',
  ];
  return `${pick(next, kinds)}${next(3) === 0 ? pick(next, VERSIONS) : anyName(next)}`;
}

function anyName(next: Random): string {
  if (next(4) === 0)
    return pick(next, ['main', 'dev', 'pr-7', '7/merge', 'latest', 'edge', 'feature/x', 'feature-x', SHA]);
  return some(next, next(6) === 0 ? 200 : 10, () => pick(next, SIGNS)).join('');
}

/** A payload of which some fields are gone or hold something else. */
function damaged(next: Random, payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (next(3) > 0) return { ...payload };
  const entries = Object.entries(payload).flatMap(([name, value]): [string, unknown][] => {
    if (next(8) === 0) return next(2) === 0 ? [] : [[name, pick(next, JUNK)]];
    return [[name, isRecord(value) ? damaged(next, value) : value]];
  });
  return Object.fromEntries(entries);
}

function pick<Value>(next: Random, list: readonly Value[]): Value {
  const [value] = list.slice(next(list.length));
  if (value === undefined) throw new Error('there is nothing to pick');
  return value;
}

function some<Value>(next: Random, most: number, make: () => Value): readonly Value[] {
  return Array.from({ length: next(most + 1) }, make);
}

/** The world of a run: its event, its clone, its API. */
export function sourcesOf({ environment, payload, clone, answer }: FuzzRun, log: Log): FactSources {
  const event = { ...readEvent(environment), payload };
  const [head = ''] = clone.refs;
  return {
    event,
    log,
    now: new Date('2026-11-20T10:00:00Z'),
    askApi: async () => answer,
    git: {
      head: async () => ({ ref: refFactsOf(head), sha: SHA }),
      tags: async () => ({ names: clone.tags, isWhole: clone.isWhole }),
      refs: async () => clone.refs,
      commitDate: async () => undefined,
      defaultBranch: async () => undefined,
    },
  };
}
