import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appendEntry } from '../../core/runner/commands.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { Log } from '../../core/runner/log.ts';
import type { ActionContext, Run } from '../../core/runner/run-action.ts';
import { type BakeKind, bakeDefinitions } from '../../core/tags/bake-files.ts';
import { defaultRules } from '../../core/tags/default-rules.ts';
import { canFire } from '../../core/tags/evaluate.ts';
import { createRenderer } from '../../core/tags/expressions.ts';
import { gatherFacts } from '../../core/tags/gather-facts.ts';
import { openRepository } from '../../core/tags/git-facts.ts';
import { annotationEntries, formatLabels, joinEntries, planLabels } from '../../core/tags/labels.ts';
import { planTags, type TagPlan } from '../../core/tags/plan.ts';
import { createApi } from '../../core/tags/repository-facts.ts';
import { parseRules } from '../../core/tags/rules.ts';
import { namedVariants } from '../../core/tags/variants.ts';
import type { contract } from './contract.ts';
import { inInput, readSettings, type Settings, templatesOf } from './settings.ts';
import { summarize } from './summary.ts';

export const run: Run<typeof contract> = async (inputs, context) => {
  const { environment, event, log } = context;
  const settings = readSettings(inputs, environment);
  const variants = namedVariants({
    images: settings.images,
    rows: inputs.matrix,
    variant: inputs.variant ?? '',
    defaultVariant: inputs.defaultVariant ?? '',
  });

  const facts = await gatherFacts(
    {
      ...settings,
      context: inputs.context,
      templates: templatesOf(settings, settings.rules ?? []),
      latestGuard: inputs.latestGuard,
      knownRefs: inputs.knownRefs,
    },
    {
      event,
      git: openRepository(context.workspace, context.runCommand),
      askApi: createApi(event, inputs.githubToken, log),
      log,
      now: new Date(),
    },
  );

  const rules = settings.rules ?? parseRules(defaultRules(facts));
  const render = await createRenderer(
    templatesOf(settings, rules, (rule) => canFire(rule, facts)),
    onceEach((name) => log.warning(`{{${name}}} is not known and stands for nothing`)),
  );
  const plan = inInput('tags', () =>
    planTags(facts, {
      rules,
      flavor: settings.flavor,
      variants,
      hasImages: settings.images.length > 0,
      latestGuard: inputs.latestGuard,
      render,
    }),
  );
  report(plan, inputs.onCollision, log);

  const labels = inInput('labels', () => planLabels(facts, plan.version, settings.labels, render));
  const annotations = inInput('annotations', () => planLabels(facts, plan.version, settings.annotations, render));
  for (const warning of labels.warnings) log.warning(`input "labels": ${warning}`);
  for (const warning of annotations.warnings) log.warning(`input "annotations": ${warning}`);
  const annotationList = annotationEntries(annotations.labels, settings.annotationLevels);

  const bakeFiles = await writeBakeFiles(
    context.temp,
    bakeDefinitions({
      target: inputs.bakeTarget,
      tags: plan.tags,
      labels: labels.labels,
      annotations: annotationList,
      images: [...new Set(plan.variants.flatMap(({ repositories }) => repositories))],
      version: plan.version,
    }),
  );
  const matrixTags = inputs.matrix === undefined ? {} : matrixTagsOf(plan);
  const outputs = {
    version: plan.version ?? '',
    tags: plan.tags.join(settings.separators.tags),
    tagNames: plan.tagNames.join(settings.separators.tags),
    labels: formatLabels(labels.labels, settings.separators.labels),
    annotations: joinEntries(annotationList, settings.separators.annotations),
    json: JSON.stringify({
      tags: plan.tags,
      'tag-names': plan.tagNames,
      labels: Object.fromEntries(labels.labels),
      annotations: annotationList,
      ...(inputs.matrix === undefined ? {} : { 'matrix-tags': matrixTags }),
    }),
    bakeFile: bakeFiles.all,
    bakeFileTags: bakeFiles.tags,
    bakeFileLabels: bakeFiles.labels,
    bakeFileAnnotations: bakeFiles.annotations,
  };
  exportOutputs(outputs, settings, context);
  return {
    outputs: {
      ...outputs,
      matrixTags,
      immutableTag: plan.immutableTag ?? '',
    },
    summary: summarize(plan, { rules, isDefault: settings.rules === undefined, facts, labels: labels.labels }),
  };
};

/** Says in the log what a person should know, and stops at a collision unless told to warn. */
function report(plan: TagPlan, onCollision: 'error' | 'warn', log: Log): void {
  for (const notice of plan.notices) log.notice(notice);
  for (const warning of plan.warnings) log.warning(`input "tags": ${warning}`);
  if (plan.version === undefined) log.warning('no rule of "tags" gave a tag for this run; the job summary says why');
  for (const tag of plan.tags) log.info(tag);
  if (plan.collisions.length === 0) return;
  const message = `two things would be written under one name: ${plan.collisions.join('; ')}`;
  if (onCollision === 'error')
    throw new ConfigurationError(`${message}. Give one of them a prefix, or set "on-collision: warn"`, {
      title: 'Tags collide',
    });
  log.warning(message);
}

/** Hands each name on once. */
function onceEach(tell: (name: string) => void): (name: string) => void {
  const told = new Set<string>();
  return (name) => {
    if (told.has(name)) return;
    told.add(name);
    tell(name);
  };
}

async function writeBakeFiles(
  temp: string,
  definitions: Readonly<Record<BakeKind, string>>,
): Promise<Readonly<Record<BakeKind, string>>> {
  const folder = await mkdtemp(join(temp, 'metadata-tags-'));
  const write = async (kind: BakeKind): Promise<string> => {
    const path = join(
      folder,
      kind === 'all' ? 'docker-metadata-action-bake.json' : `docker-metadata-action-bake-${kind}.json`,
    );
    await writeFile(path, definitions[kind]);
    return path;
  };
  return {
    all: await write('all'),
    tags: await write('tags'),
    labels: await write('labels'),
    annotations: await write('annotations'),
  };
}

/** Each output also as `DOCKER_METADATA_OUTPUT_<NAME>`, which bake definitions and later steps read. */
function exportOutputs(
  outputs: Readonly<Record<string, string>>,
  settings: Settings,
  { environment }: ActionContext,
): void {
  if (!settings.exportsOutputs) return;
  for (const [name, value] of Object.entries(outputs)) {
    const variable = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    appendEntry(environment, 'GITHUB_ENV', `DOCKER_METADATA_OUTPUT_${variable}`, value);
  }
}

/** References by image and variant. */
function matrixTagsOf(plan: TagPlan): Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> {
  const images = new Map<string, [string, readonly string[]][]>();
  for (const { image, variant, references } of plan.variants)
    images.set(image, [...(images.get(image) ?? []), [variant, references]]);
  return Object.fromEntries([...images].map(([image, variants]) => [image, Object.fromEntries(variants)]));
}
