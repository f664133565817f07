import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contract } from '../../../../src/actions/build-matrix/contract.ts';
import { run } from '../../../../src/actions/build-matrix/run.ts';
import { parseRows, type Row } from '../../../../src/core/images/row.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';
import { readEvent } from '../../../../src/core/runner/event.ts';
import { readInputs } from '../../../../src/core/runner/inputs.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { cleanEnvironment, type TemporaryRepository } from '../../core/git/temporary-repository.ts';

export interface PlanStep {
  readonly event?: string;
  readonly ref?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface PlanResult {
  readonly rows: readonly Row[];
  /** Ids of the rows to build, and why. */
  readonly reasons: Readonly<Record<string, string>>;
  readonly skipped: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly summary: string;
  readonly log: string;
}

/** Runs the action in a repository, on input texts as the runner hands them over. */
export async function runPlan(repository: TemporaryRepository, step: PlanStep = {}): Promise<PlanResult> {
  const folder = mkdtempSync(join(tmpdir(), 'build-matrix-'));
  try {
    const payload = join(folder, 'event.json');
    writeFileSync(payload, JSON.stringify({ repository: { default_branch: 'main' }, ...step.payload }));
    const environment = {
      ...cleanEnvironment(),
      GITHUB_EVENT_NAME: step.event ?? 'workflow_dispatch',
      GITHUB_EVENT_PATH: payload,
      GITHUB_REF: step.ref ?? 'refs/heads/main',
      GITHUB_REPOSITORY: 'Acme/My-App',
      ...step.environment,
      ...Object.fromEntries(
        Object.entries(step.inputs ?? {}).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
      ),
    };
    const lines: string[] = [];
    const log = createLog((line) => lines.push(line), { debug: true });
    const { outputs = {}, summary = '' } = await run(readInputs(contract, environment, log), {
      event: readEvent(environment),
      environment,
      workspace: repository.folder,
      temp: folder,
      log,
      runCommand,
      state: { save: () => undefined, get: () => undefined },
    });
    const rows = parseRows(JSON.stringify(outputs.matrix));
    const skipped = JSON.parse(JSON.stringify(outputs.skipped)) as { id: string; reason: string }[];
    return {
      rows,
      reasons: Object.fromEntries(rows.map(({ id, reason }) => [id, reason])),
      skipped: Object.fromEntries(skipped.map(({ id, reason }) => [id, reason])),
      outputs,
      summary,
      log: lines.join('\n'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs the action for a push of what was committed since a commit. */
export async function runPush(
  repository: TemporaryRepository,
  before: string,
  inputs: PlanStep['inputs'] = {},
): Promise<PlanResult> {
  return runPlan(repository, { event: 'push', payload: { before }, inputs });
}
