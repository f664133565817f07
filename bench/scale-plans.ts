import { contract } from '../src/actions/build-matrix/contract.ts';
import { planComparison, planHead, type Repository } from '../src/actions/build-matrix/plan.ts';
import { createGit } from '../src/core/git/git.ts';
import { createPrintBake } from '../src/core/images/print-bake.ts';
import type { Row } from '../src/core/images/row.ts';
import { selectRows } from '../src/core/images/row-selection.ts';
import { createBlobCache } from '../src/core/images/snapshot.ts';
import { runCommand } from '../src/core/runner/command.ts';
import { readInputs } from '../src/core/runner/inputs.ts';
import { createLog } from '../src/core/runner/log.ts';
import { git } from './matrix-repository.ts';
import type { Push } from './scale-day.ts';

/** What build-matrix says of one push. */
export interface PushPlan {
  readonly push: Push;
  readonly commit: string;
  /** Every row of the commit. */
  readonly all: readonly Row[];
  /** The rows that the push builds: all on a tag. */
  readonly changed: readonly Row[];
}

/** Plans each push with build-matrix's own code, on the repository's own history; no row is asked of a registry. */
export async function planPushes(
  folder: string,
  pushes: readonly Push[],
  commits: readonly { readonly before: string; readonly after: string }[],
): Promise<readonly PushPlan[]> {
  const environment = { PATH: process.env['PATH'], HOME: '/nonexistent', INPUT_PLATFORMS: 'linux/amd64, linux/arm64' };
  const log = createLog(() => undefined, { debug: false });
  const inputs = readInputs(contract, environment, log);
  const repository: Repository = {
    git: createGit(runCommand, folder, environment),
    printBake: createPrintBake(runCommand, folder, environment),
    blobs: createBlobCache(),
  };
  const plans: PushPlan[] = [];
  for (const [index, push] of pushes.entries()) {
    const { before = '', after = '' } = commits[index] ?? {};
    git(folder, ['update-ref', 'refs/heads/main', after]);
    const event = eventOf(push, before, after);
    const head = await planHead(repository, inputs, event);
    const comparison = await planComparison(repository, head, inputs, event);
    const everything = { kind: 'everything', reason: 'the day is planned without change detection' } as const;
    plans.push({
      push,
      commit: after,
      all: selectRows(head.rows, everything, inputs).rows,
      changed: selectRows(head.rows, comparison, inputs).rows,
    });
  }
  return plans;
}

function eventOf({ kind }: Push, before: string, sha: string): Parameters<typeof planHead>[2] {
  return {
    name: 'push',
    ref: kind === 'tag' ? 'refs/tags/v1.0.0' : 'refs/heads/main',
    refType: kind === 'tag' ? 'tag' : 'branch',
    sha,
    repository: 'acme/app',
    actor: 'octocat',
    workflow: 'release',
    job: 'plan',
    runId: '1',
    runAttempt: 1,
    serverUrl: 'https://github.com',
    apiUrl: 'https://api.github.com',
    graphqlUrl: 'https://api.github.com/graphql',
    payload: { before, repository: { default_branch: 'main' } },
  };
}
