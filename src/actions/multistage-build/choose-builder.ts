import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { failureKind } from '../../core/buildkit/build-failure.ts';
import { type Builder, bootBuilder, createBuilder, inspectBuilder, isCapable } from '../../core/buildkit/builder.ts';
import { parseEntries } from '../../core/buildkit/csv-records.ts';
import { hasRules } from '../../core/buildkit/image-rules.ts';
import { CommandError } from '../../core/runner/command.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';
import type { BuildInputs } from './contract.ts';

/** The state under which a created builder's name is kept for the post step. */
export const BUILDER_STATE = 'builder';
const TRIES = 3;

/**
 * The builder to build with: the one that stands, or one in a container that is created where that is asked for, or
 * where the engine's classic image store could do nothing of what is asked for.
 */
export async function chooseBuilder(
  inputs: BuildInputs,
  context: ActionContext,
  wait: (milliseconds: number) => Promise<unknown> = sleep,
): Promise<Builder> {
  const options = { runCommand: context.runCommand, env: context.environment };
  checkTogether(inputs);
  if (inputs.builder !== undefined) return inspectBuilder(inputs.builder, options);
  if (inputs.driver === 'docker') return inspectBuilder('default', options);
  if (inputs.driver === 'auto') {
    const current = await inspectBuilder(undefined, options);
    if (isCapable(current) || !needsExports(inputs)) return current;
    context.log.info(
      `the builder "${current.name}" exports neither caches nor images by digest; creating one in a container`,
    );
  }
  const name = `slipway-${randomUUID().slice(0, 8)}`;
  context.state.save(BUILDER_STATE, name);
  await createBuilder(
    {
      name,
      driver: inputs.driver === 'auto' ? 'docker-container' : inputs.driver,
      driverOptions: parseEntries(inputs.driverOpts),
      config: inputs.buildkitdConfig === undefined ? undefined : resolve(context.workspace, inputs.buildkitdConfig),
      endpoint: inputs.endpoint,
      platforms: platformsOf(inputs),
    },
    options,
  );
  await bootWithRetries(name, context, wait);
  return { ...(await inspectBuilder(name, options)), isOwn: true };
}

/** What is built for, by hand or by rows; a cluster places its pods by it. */
function platformsOf({ platforms, image }: BuildInputs): readonly string[] {
  return [...new Set([...platforms, ...(image ?? []).map(({ platform }) => platform)])];
}

function checkTogether({ builder, driver, endpoint, driverOpts, buildkitdConfig }: BuildInputs): void {
  const isNamed = builder !== undefined;
  if (isNamed && driver !== 'auto')
    throw new ConfigurationError('inputs "builder" and "driver" exclude each other: a builder has its driver');
  const isCreated = !isNamed && driver !== 'docker' && (driver !== 'auto' || endpoint === undefined);
  if (!isCreated && (endpoint !== undefined || driverOpts.length > 0 || buildkitdConfig !== undefined))
    throw new ConfigurationError(
      'inputs "endpoint", "driver-opts" and "buildkitd-config" are of a builder that is created: give "driver" too',
    );
  if (driver === 'remote' && endpoint === undefined)
    throw new ConfigurationError(
      'input "driver" is remote, but "endpoint" names no daemon: give its address, such as tcp://buildkitd:1234',
    );
  if (driver === 'remote' && buildkitdConfig !== undefined)
    throw new ConfigurationError('input "buildkitd-config" cannot change a remote daemon');
}

function needsExports(inputs: BuildInputs): boolean {
  const { maxSize, maxGrowth, forbidPaths } = inputs;
  const isChecked = hasRules({ maxSize, maxGrowth, require: [], forbidPaths }) || inputs.require.length > 0;
  return isChecked || inputs.push === 'by-digest' || inputs.cache !== 'off' || inputs.cacheTo.length > 0;
}

/** A builder's image is pulled from Docker Hub, which now and then answers late or not at all (setup-buildx-action#430). */
async function bootWithRetries(
  name: string,
  { runCommand, environment, log }: ActionContext,
  wait: (milliseconds: number) => Promise<unknown>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bootBuilder(name, { runCommand, env: environment });
    } catch (error) {
      const said = error instanceof CommandError ? `${error.message} ${error.stderr}` : '';
      if (failureKind(said) !== 'network' || attempt >= TRIES) throw error;
      log.info(`the builder "${name}" did not start; trying again in ${5 * attempt} s`);
      await wait(5_000 * attempt);
    }
  }
}
