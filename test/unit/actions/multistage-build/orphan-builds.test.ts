import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { endOrphanBuilds } from '../../../../src/actions/multistage-build/orphan-builds.ts';

describe('the builds that a killed step left', () => {
  it('are ended, also those that do not want to, and no other process is', async () => {
    const folder = `/tmp/slipway-build-${process.pid}`;
    const run = (script: string, named: string) =>
      spawn('sh', ['-c', script, named], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    const willing = run('echo up; while :; do sleep 0.1; done', folder);
    const unwilling = run('trap "" TERM; echo up; while :; do sleep 0.1; done', folder);
    const other = run('echo up; exec sleep 60', '/tmp/slipway-build-other');
    const all = [willing, unwilling, other];
    const ends = [willing, unwilling].map((child) => once(child, 'exit'));
    await Promise.all(all.map((child) => once(child.stdout, 'data')));
    await endOrphanBuilds(folder, 300);
    expect((await Promise.all(ends)).map(([, signal]) => signal)).toEqual(['SIGTERM', 'SIGKILL']);
    expect(other.exitCode).toBeNull();
    other.kill('SIGKILL');
  });

  it('may be none', async () => {
    await expect(endOrphanBuilds('/tmp/slipway-build-never')).resolves.toBeUndefined();
  });
});
