import type { CheckResult } from '../../core/buildkit/image-checks.ts';
import { removeContainer, runSmokeTest } from '../../core/buildkit/smoke-test.ts';
import type { Environment } from '../../core/runner/commands.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { BuiltImage } from './finish-images.ts';
import type { BuildPlan } from './plan.ts';

type SmokeContext = Pick<ActionContext, 'log' | 'runCommand'>;

export interface SmokeRun {
  /** Of the containers' names. */
  readonly prefix: string;
  readonly environment: Environment;
  /** Milliseconds for each test. */
  readonly deadline: number;
  /** Loads a target's image into the engine under a name. */
  readonly loadImage: (target: string, name: string) => Promise<boolean>;
}

/**
 * Runs the smoke tests on every image that the engine here can run, and adds their verdicts to its checks.
 *
 * An image for another platform would run in an emulator, if at all: it is left out, and said.
 */
export async function smokeImages(
  plan: BuildPlan,
  images: readonly BuiltImage[],
  { prefix, environment, deadline, loadImage }: SmokeRun,
  { log, runCommand }: SmokeContext,
): Promise<readonly BuiltImage[]> {
  if (plan.smokeTests.length === 0) return images;
  const { stdout } = await runCommand('docker', ['version', '--format', '{{.Server.Os}}/{{.Server.Arch}}'], {
    env: environment,
    deadline: 30_000,
  });
  const own = stdout.trim();
  const tested: BuiltImage[] = [];
  for (const image of images) {
    const platform = image.row?.platform;
    if (image.smokeName === undefined || (platform !== undefined && !`${platform}/`.startsWith(`${own}/`))) {
      log.notice(
        `the image for ${platform ?? 'another platform'} cannot be run on ${own}: its smoke tests are left out`,
      );
      tested.push(image);
      continue;
    }
    if (!(await loadImage(image.name, image.smokeName)))
      throw new Error(`the image ${image.name} could not be loaded for its smoke tests`);
    const results: CheckResult[] = [];
    for (const test of plan.smokeTests) {
      const name = `${prefix}${image.name.toLowerCase()}-${results.length + 1}`;
      results.push(await runSmokeTest(test, image.smokeName, { name, runCommand, env: environment, deadline }));
    }
    tested.push({ ...image, checks: [...image.checks, { platform, results }] });
  }
  return tested;
}

/** Removes images and containers of a run's smoke tests, also those of a step that was ended in their middle. */
export async function removeSmokeImages(
  prefix: string,
  environment: Environment,
  { runCommand }: Pick<ActionContext, 'runCommand'>,
): Promise<void> {
  const options = { env: environment, deadline: 60_000, allowFailure: true };
  const found = await runCommand(
    'docker',
    ['ps', '--all', '--format', '{{.Names}}', '--filter', `name=${prefix}`],
    options,
  );
  for (const name of linesOf(found.stdout)) await removeContainer(name, { runCommand, env: environment });
  const images = await runCommand(
    'docker',
    ['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', `${prefix}*`],
    options,
  );
  for (const name of linesOf(images.stdout)) await runCommand('docker', ['image', 'rm', '--force', name], options);
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
