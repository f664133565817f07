import { expect, test } from 'vitest';
import { contract } from '../../../src/actions/metadata-tags/contract.ts';
import { outputsOf } from '../../../src/actions/metadata-tags/outputs.ts';
import { type Metadata, planMetadata } from '../../../src/actions/metadata-tags/plan-metadata.ts';
import { readSettings, type Settings } from '../../../src/actions/metadata-tags/settings.ts';
import { summarize } from '../../../src/actions/metadata-tags/summary.ts';
import { ConfigurationError } from '../../../src/core/runner/errors.ts';
import { readInputs } from '../../../src/core/runner/inputs.ts';
import { createLog } from '../../../src/core/runner/log.ts';
import type { TagPlan } from '../../../src/core/tags/plan.ts';
import { type FuzzRun, fuzzCases, sourcesOf, type Variables } from './cases.ts';

/** Another seed at each run, so that CI looks at new cases each day; `FUZZ_SEED=…` repeats one. */
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2_147_483_646) || 1;
const PARTS = 10;
const CASES = Number(process.env['FUZZ_CASES'] ?? 100_000);
const RUNS_OF_EACH = 5;

/** OCI distribution specification 1.1, "Pulling manifests", written down a second time on purpose. */
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const REFERENCE =
  /^(?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*:([^:]+)$/;
const BAKE_FILES = { all: 'a', tags: 't', labels: 'l', annotations: 'n' };
const silent = createLog(() => undefined, { debug: false });

interface Planned {
  readonly settings: Settings;
  readonly metadata: Metadata;
}

async function plan(settings: Settings, run: FuzzRun): Promise<Planned | undefined> {
  try {
    return { settings, metadata: await planMetadata(settings, sourcesOf(run, silent)) };
  } catch (error) {
    checkError(error);
    return undefined;
  }
}

function read(inputs: Variables): Settings | undefined {
  try {
    return readSettings(readInputs(contract, inputs, silent), inputs);
  } catch (error) {
    checkError(error);
    return undefined;
  }
}

function check({ settings, metadata }: Planned): void {
  const { plan, facts, rules } = metadata;
  checkNames(plan, settings.hasImages);
  insist(plan.outcomes.length === rules.length, 'a rule has no outcome');
  const isOwnVersion = rules.every((rule) => !('value' in rule) || rule.type === 'raw');
  const isPrerelease = /^v?\d+\.\d+\.\d+-[a-z]/.test(facts.ref.tag ?? '');
  if (settings.latestGuard && isOwnVersion && isPrerelease)
    insist(!plan.tagNames.includes('latest'), `${facts.ref.tag} took latest`);
}

function checkOutputs({ settings, metadata }: Planned): void {
  const { json } = outputsOf(metadata, settings, BAKE_FILES);
  expect(JSON.parse(json)).toMatchObject({ tags: metadata.plan.tags, 'tag-names': metadata.plan.tagNames });
  const markup = summarize(metadata)
    .replace(/```[\s\S]*?```/g, '')
    .replace(/<\/?(?:code|del|details|summary|br)>/g, '');
  insist(!/<[a-z!/]/i.test(markup), `HTML of others stands in the summary: ${markup}`);
}

function checkNames(plan: TagPlan, hasImages: boolean): void {
  for (const tag of plan.tagNames) insist(TAG.test(tag), `"${tag}" is no tag`);
  for (const reference of plan.tags) {
    const tag = hasImages ? REFERENCE.exec(reference)?.[1] : reference;
    insist(TAG.test(tag ?? ''), `"${reference}" is no reference`);
  }
  for (const list of [plan.tags, plan.tagNames])
    insist(new Set(list).size === list.length, `one of these is there twice: ${list.join(' ')}`);
  const [first] = plan.tagNames;
  if (first === undefined) return;
  for (const name of [plan.version, plan.immutableTag ?? first])
    insist(name !== undefined && plan.tagNames.includes(name), `"${name}" is none of the tags`);
}

/** `expect` is too slow for a hundred thousand cases. */
function insist(isRight: boolean, otherwise: string): void {
  if (!isRight) throw new Error(otherwise);
}

/** Errors are for the user: they name the input or the variable. */
function checkError(error: unknown): void {
  if (!(error instanceof ConfigurationError)) throw error;
  insist(/^input "[a-z-]+"|^DOCKER_METADATA_/.test(error.message), `no input is named: ${error.message}`);
}

test.each(Array.from({ length: PARTS }, (_, part) => (seed + part * 7919) % 2_147_483_647 || 1))(
  'inputs, refs and payloads of any kind end in legal tags, each once, or in an error that names the input: seed %i',
  async (partSeed) => {
    let made = 0;
    for (const { inputs, runs } of fuzzCases(partSeed, CASES / PARTS / RUNS_OF_EACH, RUNS_OF_EACH)) {
      try {
        const settings = read(inputs);
        if (settings === undefined) continue;
        for (const run of runs) {
          const planned = await plan(settings, run);
          if (planned === undefined) continue;
          made += 1;
          check(planned);
          if (made % 50 > 0) continue;
          checkOutputs(planned);
          expect((await plan(settings, run))?.metadata.plan).toEqual(planned.metadata.plan);
        }
      } catch (cause) {
        throw new Error(`FUZZ_SEED=${partSeed}: ${JSON.stringify({ inputs, runs })}`, { cause });
      }
    }
    expect(made).toBeGreaterThan(CASES / PARTS / 2);
  },
  120_000,
);
