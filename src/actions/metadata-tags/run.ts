import { createGit } from '../../core/git/git.ts';
import { ActionFailure, type Run } from '../../core/runner/run-action.ts';
import { openRepository } from '../../core/tags/git-facts.ts';
import { createApi } from '../../core/tags/repository-facts.ts';
import { writeBakeFiles } from './bake-folder.ts';
import type { contract } from './contract.ts';
import { exportOutputs, outputsOf } from './outputs.ts';
import { planMetadata } from './plan-metadata.ts';
import { reportPlan } from './report.ts';
import { readSettings } from './settings.ts';
import { summarize } from './summary.ts';

export const run: Run<typeof contract> = async (inputs, context) => {
  const { environment, event, log } = context;
  const settings = readSettings(inputs, environment);
  const metadata = await planMetadata(settings, {
    event,
    git: openRepository(createGit(context.runCommand, context.workspace, environment)),
    askApi: createApi(event, inputs.githubToken, log),
    log,
    now: new Date(),
  });

  const summary = summarize(metadata);
  const failure = reportPlan(metadata.plan, inputs.onCollision, log);
  // Without outputs: no later step may push what two things would be written under.
  if (failure !== undefined) throw new ActionFailure(failure, { summary });

  const bakeFiles = await writeBakeFiles(context.temp, metadata, inputs.bakeTarget);
  const outputs = outputsOf(metadata, settings, bakeFiles);
  if (settings.exportsOutputs) exportOutputs(outputs, environment);
  return { outputs, summary };
};
