import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/core/runner/command.ts';
import { type ResultsService, startResultsService } from '../harness/standins/results-service.ts';
import { baseImage, buildStep, forgetBuilds, nonce, type StepResult, writeFiles } from './build-step.ts';

/** A package manager's download, without an internet: it "fetches" what its folder does not hold. */
const fetch = (folder: string): string =>
  `for p in a b; do if [ -f ${folder}/$p ]; then echo "reused $p"; else echo "downloaded $p"; mkdir -p ${folder}; echo "$p" > ${folder}/$p; fi; done`;

const shapes: readonly (readonly [name: string, mount: string, command: string])[] = [
  ['pip', `--mount=type=cache,target=/root/.cache/pip-${nonce}`, fetch(`/root/.cache/pip-${nonce}/wheels`)],
  [
    'npm, by another user',
    `--mount=type=cache,id=npm-${nonce},target=/home/node/.npm,uid=1000,gid=1000,sharing=locked`,
    `${fetch('/home/node/.npm/_cacache')} && stat -c '%u:%g' /home/node/.npm`,
  ],
  [
    'cargo, with two folders',
    `--mount=type=cache,target=/usr/local/cargo/registry-${nonce} --mount=type=cache,target=/app/target-${nonce}`,
    `${fetch(`/usr/local/cargo/registry-${nonce}`)}; ${fetch(`/app/target-${nonce}/release`)}`,
  ],
];

describe('cache mounts outlive the builder', () => {
  let root = '';
  let results: ResultsService;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
  });
  afterAll(() => rm(root, { recursive: true }));
  beforeEach(async () => {
    results = await startResultsService();
  });
  afterEach(() => results[Symbol.asyncDispose]());

  async function build(mount: string, command: string, lock: string, inputs = {}): Promise<StepResult> {
    // A runner has the same folders in every job: @actions/cache takes them for a part of an entry's name.
    const [workspace, temp] = [join(root, 'workspace'), join(root, 'temp')];
    await writeFiles(workspace, {
      Dockerfile: `FROM ${baseImage} AS deps\nCOPY lock /lock\nRUN ${mount} echo ${nonce} && ${command}\nFROM scratch\nCOPY --from=deps /lock /lock\n`,
      lock,
    });
    const image = JSON.stringify({ image: 'app', scope: nonce });
    await mkdir(temp, { recursive: true });
    return buildStep({ root, workspace, temp, inputs: { image, ...inputs }, environment: results.environment() });
  }
  /** What a new runner has: neither steps nor mounts. */
  async function wipeBuilder(): Promise<void> {
    await forgetBuilds();
    await runCommand('docker', ['buildx', 'prune', '--force', '--filter', 'type=exec.cachemount']);
  }

  it.each(shapes)('of %s: a changed lock file downloads nothing again', async (_, mount, command) => {
    const first = await build(mount, command, 'one');
    expect(first.failure).toBeUndefined();
    expect(first.log).toContain('downloaded a');
    expect(results.cacheEntries().some(({ key }) => key.startsWith(`slipway-mounts-${nonce}-`))).toBe(true);
    await wipeBuilder();

    const second = await build(mount, command, 'two');
    expect(second.log).toMatch(/The cache mounts .* are filled/);
    expect(second.log).toContain('reused a');
    expect(second.log).not.toContain('downloaded');
    if (mount.includes('uid=1000')) expect(second.log).toContain('1000:1000');
    // Nothing changed in them: nothing is uploaded a second time.
    expect(results.cacheEntries().filter(({ key }) => key.startsWith(`slipway-mounts-${nonce}-`)).length).toBe(1);
  });

  it('are left where they are without a word when "cache-mounts" is off, and with one when the service is silent', async () => {
    const [, mount = '', command = ''] = shapes[0] ?? [];
    await build(mount, command, 'off', { 'cache-mounts': 'off' });
    expect(results.cacheEntries().some(({ key }) => key.startsWith('slipway-mounts'))).toBe(false);
    results.faults.add({ fault: { kind: 'stall' }, times: Number.POSITIVE_INFINITY });
    const started = Date.now();
    const { failure, log } = await build(mount, command, 'silent', { 'cache-timeout': '2s' });
    results.faults.clear();
    expect(failure).toBeUndefined();
    expect(log).toContain('said nothing for 1 s');
    expect(Date.now() - started).toBeLessThan(20_000);
  });
});
