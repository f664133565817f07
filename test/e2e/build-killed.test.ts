import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/core/runner/command.ts';
import { parseKeyValues } from '../harness/runner/command-files.ts';
import { argumentsThatHold, makeStepFolder, startAction } from './action-process.ts';
import { baseImage, makeWorkspace, nonce, registry } from './build-step.ts';
import { startDaemonAddress } from './daemon-address.ts';

/** Larger than a variable of the environment may be: it goes by a file. */
const SECRET = `hunter2${'x'.repeat(100_000)}`;
/** Seconds that the build would take; the number tells its process from all others. */
const LONG = 600 + Number.parseInt(nonce.slice(0, 6), 16);

describe('a main step that is killed', () => {
  let root = '';
  let workspace = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
    workspace = await makeWorkspace(root, {
      Dockerfile: `FROM ${baseImage} AS built\nRUN echo ${nonce} > /built\nCMD ["sleep", "${LONG + 1}"]\nFROM built AS long\nRUN --mount=type=secret,id=npm sleep ${LONG}\n`,
    });
  });
  afterAll(() => rm(root, { recursive: true }));

  async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
    const end = Date.now() + 40_000;
    while (!(await isSo())) {
      if (Date.now() > end) throw new Error(`${what} did not come`);
      await sleep(100);
    }
  }
  const textIn = async (folder: string): Promise<string> => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n');
  };

  it.each([
    ['while it builds', 'long', String(LONG)],
    ['while it runs a smoke test', 'built', String(LONG + 1)],
  ])('%s leaves a build, a builder, secrets and a login, which the post step removes', async (_, target, seconds) => {
    await using daemon = await startDaemonAddress();
    const step = await makeStepFolder(join(root, target));
    const environment = {
      ...step.environment,
      PATH: process.env['PATH'] ?? '',
      DOCKER_HOST: process.env['DOCKER_HOST'] ?? '',
      DOCKER_CONFIG: join(root, target, '.docker'),
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_WORKSPACE: workspace,
    };
    const inputs = {
      context: '.',
      target,
      network: 'none',
      cache: 'off',
      driver: 'remote',
      endpoint: `tcp://127.0.0.1:${daemon.port}`,
      secrets: `npm=${SECRET}`,
      registry,
      username: 'me',
      password: 'pass1234',
      push: 'true',
      tags: `${registry}/killed/${nonce}:${target}`,
      smoke: 'port 8080',
    };
    const buildx = async (...args: string[]): Promise<string> =>
      (await runCommand('docker', ['buildx', ...args], { env: environment })).stdout;

    const smokeImages = async (): Promise<string> =>
      (await runCommand('docker', ['image', 'ls', '--quiet', 'slipway-smoke*'])).stdout;
    const before = await smokeImages();
    const main = startAction('multistage-build', inputs, environment);
    try {
      await until(async () => (await argumentsThatHold(seconds)).length > 0, `the program of ${seconds} seconds`);
    } finally {
      main.child.kill('SIGKILL');
    }
    await main.ended;

    const state = parseKeyValues(await readFile(step.files.state, 'utf8'));
    const builder = state.get('builder') ?? '';
    const left = await textIn(step.temp);
    expect(left).toContain(SECRET);
    expect(left).toContain(Buffer.from('me:pass1234').toString('base64'));
    expect(await buildx('ls', '--format', '{{.Name}}')).toContain(builder);
    expect(await readFile(step.files.state, 'utf8')).not.toMatch(/hunter2|pass1234/);

    const states = Object.fromEntries([...state].map(([name, value]) => [`STATE_${name}`, value]));
    const post = startAction('multistage-build', inputs, { ...environment, ...states });
    expect(await post.ended).toMatchObject({ exitCode: 0 });
    expect(await readdir(step.temp)).toEqual([]);
    expect(await buildx('ls', '--format', '{{.Name}}')).not.toContain(builder);
    expect(await textIn(join(root, target, '.docker'))).not.toContain('me:pass1234');
    expect(await argumentsThatHold(step.temp)).toEqual([]);
    await until(async () => (await argumentsThatHold(seconds)).length === 0, 'its end');
    expect(await smokeImages()).toBe(before);
  });
});
