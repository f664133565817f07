import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCheckAnswer } from '../../core/buildkit/dockerfile-checks.ts';
import { bakeArguments } from '../../core/buildkit/run-bake.ts';
import { type ActionContext, ActionFailure, type ActionResult } from '../../core/runner/run-action.ts';
import { type BuildRun, metadataPath } from './build.ts';
import type { contract } from './contract.ts';
import type { BuildPlan } from './plan.ts';

const MAX_ANSWER = 16 * 1024 * 1024;

/** Asks the Dockerfile's frontend about the plan's images, and builds nothing. */
export async function callFrontend(
  call: 'check' | 'outline' | 'targets',
  plan: BuildPlan,
  run: BuildRun,
  { log, runCommand, workspace }: ActionContext,
): Promise<ActionResult<typeof contract>> {
  const file = join(run.folder, 'docker-bake.json');
  await writeFile(file, plan.definitionWithoutCache, { mode: 0o600 });
  const targets = plan.images.map(({ name }) => name);
  const settings = { file, metadataFile: metadataPath(run.folder), builder: run.builder, targets, allow: plan.allow };
  const args = [...bakeArguments(settings), '--call', call === 'check' ? 'check,format=json' : call];
  const { exitCode, stdout, stderr } = await runCommand('docker', args, {
    cwd: workspace,
    env: run.environment,
    deadline: run.deadline,
    maxOutput: MAX_ANSWER,
    allowFailure: true,
  });
  const result = { outputs: { definition: plan.definition } };
  const warnings = call === 'check' && stdout.trimStart().startsWith('{') ? parseCheckAnswer(stdout) : [];
  for (const { target, rule, message, url, line } of warnings) {
    const dockerfile = plan.images.find(({ name }) => name === target)?.dockerfile;
    log.warning({
      title: `Dockerfile check ${rule}`,
      message: url === undefined ? message : `${message} (${url})`,
      ...(dockerfile === undefined || line === undefined ? {} : { file: dockerfile, line }),
    });
  }
  if (warnings.length > 0)
    throw new ActionFailure(
      `the checks of the Dockerfile found ${warnings.length} thing${warnings.length === 1 ? '' : 's'}`,
      result,
    );
  if (exitCode !== 0) {
    const errors = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    throw new ActionFailure(
      `the ${call} of the Dockerfile failed: ${errors.slice(-5).join('\n').slice(-2_000)}`,
      result,
    );
  }
  if (call === 'check') log.info('The checks of the Dockerfile found nothing.');
  else for (const line of stdout.trimEnd().split('\n')) log.info(line);
  return result;
}
