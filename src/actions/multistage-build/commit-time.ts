import { fieldOf } from '../../core/runner/event.ts';
import type { ActionContext } from '../../core/runner/run-action.ts';

/** The commit's time in seconds since 1970: from the checked-out repository, else from a push's payload. */
export async function readCommitTime({
  event,
  environment,
  workspace,
  runCommand,
}: ActionContext): Promise<number | undefined> {
  const revision = /^[0-9a-f]{40,64}$/.test(event.sha) ? event.sha : 'HEAD';
  const git = runCommand('git', ['show', '--no-patch', '--format=%ct', revision], {
    cwd: workspace,
    env: environment,
    deadline: 10_000,
    maxOutput: 64 * 1024,
    allowFailure: true,
  });
  // A runner may have no git: actions/checkout then takes an archive.
  const { exitCode, stdout } = await git.catch(() => ({ exitCode: 1, stdout: '' }));
  const [seconds] = /\d+(?=\s*$)/.exec(stdout) ?? [];
  if (exitCode === 0 && seconds !== undefined) return Number(seconds);
  const told = fieldOf(event.payload, 'head_commit', 'timestamp');
  const time = typeof told === 'string' ? Date.parse(told) : Number.NaN;
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}
