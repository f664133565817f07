import { describe, expect, it } from 'vitest';
import { readCommitTime } from '../../../../src/actions/multistage-build/commit-time.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { TemporaryRepository } from '../../core/git/temporary-repository.ts';
import { pushEvent } from './build-inputs.ts';

const context = {
  environment: process.env,
  temp: '',
  log: createLog(() => undefined, { debug: false }),
  runCommand,
  state: { save: () => undefined, get: () => undefined },
};
const payload = { head_commit: { timestamp: '2026-01-02T03:04:05+01:00' } };
const TOLD = Date.parse('2026-01-02T02:04:05Z') / 1000;

describe('the time of the commit', () => {
  it('is that of the repository', async () => {
    await using repository = await TemporaryRepository.create({ file: '1' });
    const sha = await repository.id('HEAD');
    const { stdout } = await runCommand('git', ['show', '--no-patch', '--format=%ct', sha], { cwd: repository.folder });
    const event = { ...pushEvent, sha, payload };
    expect(await readCommitTime({ ...context, event, workspace: repository.folder })).toBe(Number(stdout));
  });

  it.each([
    ['the event’s where the repository has not the commit', process.env, payload, TOLD],
    ['the event’s where there is no git', { PATH: '/nowhere' }, payload, TOLD],
    ['not known where nobody tells', process.env, {}, undefined],
  ])('is %s', async (_, environment, told, expected) => {
    await using repository = await TemporaryRepository.create({ file: '1' });
    const event = { ...pushEvent, payload: told };
    const workspace = repository.folder;
    expect(await readCommitTime({ ...context, environment, event, workspace })).toBe(expected);
  });
});
