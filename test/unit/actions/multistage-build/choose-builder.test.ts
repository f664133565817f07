import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseBuilder } from '../../../../src/actions/multistage-build/choose-builder.ts';
import { post } from '../../../../src/actions/multistage-build/run.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';
import { ConfigurationError } from '../../../../src/core/runner/errors.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import type { ActionContext } from '../../../../src/core/runner/run-action.ts';
import { buildInputs, pushEvent } from './build-inputs.ts';

let root: string;
let state: Map<string, string>;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'choose-builder-'));
  state = new Map();
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A `docker` whose engine keeps images in the given store, and that writes down what it is asked. */
async function contextWith(store: 'classic' | 'containerd', boot = 'exit 0'): Promise<ActionContext> {
  const status =
    store === 'containerd' ? '[["driver-type","io.containerd.snapshotter.v1"]]' : '[["Backing Filesystem","extfs"]]';
  const script = `#!/bin/sh
echo "$*" >> ${root}/calls
case "$*" in
  "info "*) echo '${status}' ;;
  "buildx inspect --bootstrap"*) ${boot} ;;
  "buildx inspect --builder "*) printf 'Name: %s\\nDriver: docker-container\\n' "$4" ;;
  "buildx inspect") printf 'Name: default\\nDriver: docker\\n' ;;
esac
`;
  await writeFile(join(root, 'docker'), script);
  await chmod(join(root, 'docker'), 0o755);
  return {
    event: pushEvent,
    environment: { PATH: `${root}:${process.env['PATH'] ?? ''}` },
    workspace: root,
    temp: root,
    log: createLog(() => undefined, { debug: false }),
    runCommand,
    state: { save: (name, value) => state.set(name, value), get: (name) => state.get(name) },
  };
}
const calls = async (): Promise<string[]> => (await readFile(join(root, 'calls'), 'utf8')).trim().split('\n');

describe('the builder', () => {
  it('that stands is used where it can do what is asked for', async () => {
    expect(await chooseBuilder(buildInputs({}), await contextWith('containerd'))).toMatchObject({
      name: 'default',
      isOwn: false,
    });
    expect(await calls()).toEqual(['buildx inspect', 'info --format {{json .DriverStatus}}']);
  });

  it('that stands is used where nothing more is asked for', async () => {
    expect(await chooseBuilder(buildInputs({ cache: 'off' }), await contextWith('classic'))).toMatchObject({
      name: 'default',
    });
  });

  it('is created in a container where the engine’s classic store could not export', async () => {
    const builder = await chooseBuilder(
      buildInputs({ 'driver-opts': 'image=a/b:1\nnetwork=host' }),
      await contextWith('classic'),
    );
    expect(builder).toMatchObject({ driver: 'docker-container', isOwn: true });
    expect(state.get('builder')).toBe(builder.name);
    expect(await calls()).toContain(
      `buildx create --name ${builder.name} --driver docker-container --driver-opt image=a/b:1 --driver-opt network=host`,
    );
  });

  it.each([
    [
      { driver: 'kubernetes', 'driver-opts': 'namespace=ci\n"nodeselector=a=b,c=d"', endpoint: 'kubernetes:///b' },
      '--driver kubernetes --driver-opt namespace=ci --driver-opt nodeselector=a=b,c=d kubernetes:///b',
    ],
    [{ driver: 'remote', endpoint: 'tcp://a:1' }, '--driver remote tcp://a:1'],
    [
      { driver: 'kubernetes', platforms: 'linux/amd64,linux/arm64' },
      '--driver kubernetes --platform linux/amd64,linux/arm64',
    ],
    [
      { driver: 'remote', endpoint: 'tcp://a:1', image: '{"image":"web","platform":"linux/arm64"}' },
      '--driver remote --platform linux/arm64 tcp://a:1',
    ],
    [
      { driver: 'docker-container', 'buildkitd-config': '/etc/b.toml' },
      '--driver docker-container --buildkitd-config /etc/b.toml',
    ],
  ])('of %j is created with %s', async (inputs, args) => {
    await chooseBuilder(buildInputs(inputs), await contextWith('containerd'));
    expect(await calls()).toContain(`buildx create --name ${state.get('builder')} ${args}`);
  });

  it.each([
    [{ driver: 'remote' }, '"endpoint" names no daemon'],
    [{ builder: 'b', driver: 'remote' }, '"builder" and "driver" exclude each other'],
    [{ driver: 'docker', endpoint: 'x' }, 'of a builder that is created'],
  ])('of %j is refused: %s', async (inputs, message) => {
    await expect(chooseBuilder(buildInputs(inputs), await contextWith('containerd'))).rejects.toThrow(message);
  });

  it.each([
    ['echo "docker: unknown command: docker buildx" >&2; exit 1', 'install the plugin docker-buildx, 0.18 or newer'],
    ['echo "docker: \'buildx\' is not a docker command." >&2; exit 1', 'install the plugin docker-buildx'],
    ['echo "ERROR: no builder \\"mine\\" found" >&2; exit 1', 'no builder "mine" found'],
    [
      'printf "Name: default\\nDriver: \\nError: Cannot connect to the Docker daemon\\n"',
      'Cannot connect to the Docker daemon',
    ],
  ])('that "%s" tells of is refused: %s', async (does, message) => {
    const context = await contextWith('containerd');
    await writeFile(join(root, 'docker'), `#!/bin/sh\n${does}\n`);
    const refused = chooseBuilder(buildInputs({}), context);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('is asked for in vain without Docker', async () => {
    const context = { ...(await contextWith('containerd')), environment: { PATH: join(root, 'empty') } };
    await expect(chooseBuilder(buildInputs({}), context)).rejects.toThrow('there is no "docker" on this runner');
  });

  it.each([
    ['once by the network', 'i/o timeout', 1, [5_000], undefined],
    ['by the network each time', 'toomanyrequests: rate limit', 9, [5_000, 10_000], 'toomanyrequests'],
    ['by a refusal', 'manifest unknown', 9, [], 'manifest unknown'],
  ])('that is kept from its start %s is started again after %j: %s', async (_, says, times, expected, message) => {
    const boot = `echo x >> ${root}/boots; [ $(wc -l < ${root}/boots) -gt ${times} ] && exit 0; echo "${says}" >&2; exit 1`;
    const context = await contextWith('classic', boot);
    const pauses: number[] = [];
    const chosen = chooseBuilder(buildInputs({}), context, async (pause) => pauses.push(pause));
    if (message === undefined) expect(await chosen).toMatchObject({ isOwn: true });
    else await expect(chosen).rejects.toThrow(message);
    expect(pauses).toEqual(expected);
  });

  it('is known to the post step before it is created, so that it is removed when creating fails', async () => {
    const context = await contextWith('classic', 'echo "failed to pull: manifest unknown" >&2; exit 1');
    await expect(chooseBuilder(buildInputs({}), context)).rejects.toThrow('manifest unknown');
    await post(buildInputs({}), context);
    expect((await calls()).at(-1)).toBe(`buildx rm --force ${state.get('builder')}`);
  });
});

describe('the post step', () => {
  it('removes the private folder of a main step that was ended', async () => {
    const context = await contextWith('containerd');
    await mkdir(join(root, 'private'));
    await writeFile(join(root, 'private', 'config.json'), 'secret');
    state.set('folder', join(root, 'private'));
    await post(buildInputs({}), context);
    await expect(readFile(join(root, 'private', 'config.json'))).rejects.toThrow('ENOENT');
  });

  it('bears a main step that came to nothing', async () => {
    await expect(post(buildInputs({}), await contextWith('containerd'))).resolves.toBeUndefined();
  });
});
