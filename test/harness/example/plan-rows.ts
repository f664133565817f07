import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Example } from './open-example.ts';
import { stepOf } from './run-facts.ts';

export interface PlannedFacts {
  readonly id: string;
  readonly variant: string;
  readonly context: string;
  readonly dockerfile: string;
  readonly target: string;
  readonly args: Readonly<Record<string, string>>;
  readonly 'cache-mode': string;
}

/** The rows that build-matrix plans of an example with other inputs than its workflows give, in a run by hand. */
export async function planRows(
  example: Example,
  inputs: Readonly<Record<string, string>>,
): Promise<readonly PlannedFacts[]> {
  const file = path.join(path.dirname(example.folder), 'plan.yml');
  const plan = { id: 'plan', uses: 'slipway-actions/slipway/actions/build-matrix@v1', with: inputs };
  const steps = [{ uses: 'actions/checkout@v5' }, plan];
  // JSON is YAML.
  await writeFile(
    file,
    JSON.stringify({ on: 'workflow_dispatch', jobs: { plan: { 'runs-on': 'ubuntu-24.04', steps } } }),
  );
  const { outputs } = stepOf(await example.dispatch(file), 'plan');
  const { include }: { include: PlannedFacts[] } = JSON.parse(outputs['matrix'] ?? '{"include":[]}');
  return include;
}
