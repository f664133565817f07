import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/core/runner/command.ts';
import { startResultsService } from '../harness/standins/results-service.ts';
import { baseImage, buildStep, makeWorkspace, nonce, registry, type StepResult } from './build-step.ts';
import { startDaemonAddress } from './daemon-address.ts';

describe('builders', () => {
  let root = '';
  let workspace = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
    workspace = await makeWorkspace(root, {
      Dockerfile: `FROM ${baseImage}\nARG SALT\nRUN echo ${nonce} $SALT > /built\nUSER 1000\n`,
    });
  });
  afterAll(() => rm(root, { recursive: true }));

  const build = (
    inputs: Readonly<Record<string, string>>,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<StepResult> => buildStep({ root, workspace, inputs: { context: '.', ...inputs }, environment });
  const builders = async (): Promise<string> =>
    (await runCommand('docker', ['buildx', 'ls', '--format', '{{.Name}}'])).stdout;

  it('remote: a daemon at an address builds, checks, caches and pushes by digest, and is forgotten', async () => {
    await using daemon = await startDaemonAddress();
    await using results = await startResultsService();
    const step = await build(
      {
        driver: 'remote',
        endpoint: `tcp://127.0.0.1:${daemon.port}`,
        'build-args': `SALT=${randomUUID()}`,
        push: 'by-digest',
        repository: `${registry}/remote/${nonce}`,
        require: 'non-root',
      },
      results.environment(),
    );
    expect(step.failure, step.log).toBeUndefined();
    expect(step.outputs['refs']).toBe(`${registry}/remote/${nonce}@${String(step.outputs['digest'])}`);
    expect(results.cacheEntries().length).toBeGreaterThan(0);
    const name = step.state.get('builder') ?? '';
    expect(await builders()).toContain(name);
    await step.post();
    expect(await builders()).not.toContain(name);
  });

  it('docker-container: a container is made, builds, reaches the gate of the cache, and is removed with its volume', async () => {
    await using daemon = await startDaemonAddress();
    await using results = await startResultsService();
    // There is no hub to pull moby/buildkit from: this image has its two programs, and leads to the engine's BuildKit.
    const context = await mkdtemp(join(root, 'buildkit-'));
    await writeFile(
      join(context, 'buildctl'),
      `#!/bin/sh\ncase "$*" in *dial-stdio*) exec nc 127.0.0.1 ${daemon.port} ;; *) exit 0 ;; esac\n`,
    );
    await writeFile(join(context, 'buildkitd'), '#!/bin/sh\nexec sleep 600\n');
    await mkdir(join(context, 'unused'));
    for (const program of ['buildctl', 'buildkitd']) await chmod(join(context, program), 0o755);
    await writeFile(
      join(context, 'Dockerfile'),
      `FROM ${baseImage}\nCOPY buildctl buildkitd /usr/bin/\nENTRYPOINT ["/usr/bin/buildkitd"]\n`,
    );
    const image = `${registry}/buildkit/${nonce}:1`;
    await runCommand('docker', ['buildx', 'build', '--push', '--tag', image, context], { deadline: 60_000 });
    await writeFile(join(workspace, 'buildkitd.toml'), 'debug = true\n');
    results.faults.add({ fault: { kind: 'stall' }, after: 2, times: Number.POSITIVE_INFINITY });
    const step = await build(
      {
        driver: 'docker-container',
        'driver-opts': `image=${image}\nnetwork=host`,
        'buildkitd-config': 'buildkitd.toml',
        'build-args': `SALT=${randomUUID()}`,
        tags: `${registry}/container/${nonce}:1`,
        push: 'true',
        'cache-timeout': '2s',
      },
      results.environment(),
    );
    results.faults.clear();
    expect(step.failure, step.log).toBeUndefined();
    expect(step.log).toMatch(/left alone.*said nothing for 1 s/);
    expect(step.outputs['size']).toBeGreaterThan(0);
    const name = step.state.get('builder') ?? '';
    const container = ['ps', '--all', '--filter', `name=buildx_buildkit_${name}`, '--format', '{{.Names}}'];
    expect((await runCommand('docker', container)).stdout).toContain(name);
    await step.post();
    expect((await runCommand('docker', container)).stdout).toBe('');
    const volumes = await runCommand('docker', ['volume', 'ls', '--filter', `name=${name}`, '--quiet']);
    expect(volumes.stdout).toBe('');
  });

  it('docker: a cache in a folder is read, and replaced by what is used of it', async () => {
    const folder = join(root, 'cache');
    const inputs = { driver: 'docker', cache: 'local', 'cache-folder': folder, 'cache-scope': 'app' };
    for (const salt of ['one', 'two', 'two']) {
      const { failure, log } = await build({ ...inputs, 'build-args': `SALT=${salt}` });
      expect(failure, log).toBeUndefined();
    }
    expect(await readdir(folder)).toEqual(['app']);
    expect(JSON.parse(await readFile(join(folder, 'app', 'index.json'), 'utf8')).manifests).toHaveLength(1);
  });
});
