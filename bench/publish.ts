import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contract } from '../src/actions/ghcr-publish/contract.ts';
import { run } from '../src/actions/ghcr-publish/run.ts';
import { createRegistryClient } from '../src/core/registry/registry-client.ts';
import { type CommandResult, runCommand } from '../src/core/runner/command.ts';
import { readInputs } from '../src/core/runner/inputs.ts';
import { createLog } from '../src/core/runner/log.ts';
import { pushBuilt } from '../test/e2e/published-images.ts';
import { publishBaseImages } from '../test/harness/services/base-images.ts';
import { type Engine, startEngine } from '../test/harness/services/docker-engine.ts';
import { startRegistry } from '../test/harness/services/registry.ts';
import { startFaultProxy } from '../test/harness/standins/fault-proxy.ts';
import { startCountingProxy } from './counting-proxy.ts';
import type { Figure } from './figure.ts';

const LAYERS = 4;
const LAYER_BYTES = 256 * 1024 * 1024;
const IMAGES = 20;
const TAGS = ['1.2.3', '1.2', 'latest'];

interface Cost {
  readonly seconds: number;
  /** Bytes, or requests. */
  readonly amount: number;
}

/**
 * Promotion of a 1 GiB image from one repository into another, and the naming of many images, each against what people do
 * without us. Registry, engine and both sides are on this machine: what a network costs comes on top, by the bytes.
 */
export async function measurePublish(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-publish-'));
  await using started = new AsyncDisposableStack();
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const log = (): void => undefined;
  const registry = started.use(await startRegistry({ folder: join(folder, 'registry'), log }));
  await publishBaseImages({ registry, images: [{ name: 'alpine', as: 'library/alpine:3.19' }], log });
  const engine = started.use(
    await startEngine({ folder: join(folder, 'engine'), mirror: `http://${registry.host}`, log }),
  );
  // Between measurements all images and caches are forgotten, which must never be somebody's own.
  if (!engine.isOwn) throw new Error(`the Docker Engine at ${engine.host} is in use: this needs one of its own`);
  return [...(await measurePromotion(folder, registry.host, engine)), ...(await measureNaming(registry.host, engine))];
}

async function measurePromotion(folder: string, registry: string, engine: Engine): Promise<readonly Figure[]> {
  const context = join(folder, 'context');
  await runCommand('mkdir', [context]);
  const names = Array.from({ length: LAYERS }, (_, index) => `weights-${index}`);
  for (const name of names) await writeFile(join(context, name), randomBytes(LAYER_BYTES));
  const copies = names.map((name) => `COPY ${name} /${name}`).join('\n');
  await writeFile(join(context, 'Dockerfile'), `FROM ${registry}/library/alpine:3.19\n${copies}\n`);
  await using proxy = await startCountingProxy(registry);
  const docker = dockerOf(engine);
  const build = (host: string, name: string, ...more: readonly string[]) =>
    docker(
      'buildx',
      'build',
      '--output',
      `type=image,name=${host}/${name},push=true,compression=uncompressed`,
      ...more,
      context,
    );
  const cache = `type=registry,ref=${registry}/bench/cache`;
  await build(registry, 'bench/staging:built', '--cache-to', `${cache},mode=max,compression=uncompressed`);

  const forget = async (): Promise<void> => {
    // As on a fresh runner: neither image nor build cache.
    await docker('system', 'prune', '--all', '--force');
    await docker('builder', 'prune', '--all', '--force');
  };
  const measure = (work: () => Promise<unknown>): Promise<Cost> => costOf(proxy.count, work);

  const ours = await measure(() =>
    publish({ promote: `${proxy.host}/bench/staging:built`, tags: tagsOf(`${proxy.host}/bench/ours`) }),
  );
  const rebuiltHere = await measure(() => build(proxy.host, 'bench/rebuilt-here:1.2.3'));
  await forget();
  const pulled = await measure(async () => {
    await docker('pull', `${proxy.host}/bench/staging:built`);
    for (const tag of TAGS) {
      await docker('tag', `${proxy.host}/bench/staging:built`, `${proxy.host}/bench/pulled:${tag}`);
      await docker('push', `${proxy.host}/bench/pulled:${tag}`);
    }
  });
  await forget();
  const rebuilt = await measure(() =>
    build(proxy.host, 'bench/rebuilt:1.2.3', '--cache-from', cache.replace(registry, proxy.host)),
  );
  return [
    timeOf('promotion of 1 GiB under 3 tags', ours, 'pull, tag, push', pulled),
    bytesOf('promotion of 1 GiB under 3 tags', ours, 'pull, tag, push', pulled),
    timeOf('promotion of 1 GiB under 3 tags', ours, 'rebuild, all cached on the machine, 1 tag', rebuiltHere),
    bytesOf('promotion of 1 GiB under 3 tags', ours, 'rebuild, all cached on the machine, 1 tag', rebuiltHere),
    timeOf('promotion of 1 GiB under 3 tags', ours, 'rebuild from the registry’s cache, 1 tag', rebuilt),
    bytesOf('promotion of 1 GiB under 3 tags', ours, 'rebuild from the registry’s cache, 1 tag', rebuilt),
  ];
}

async function measureNaming(registry: string, engine: Engine): Promise<readonly Figure[]> {
  const client = createRegistryClient();
  const images: { readonly name: string; readonly digests: readonly string[] }[] = [];
  for (let index = 0; index < IMAGES; index += 1) {
    const name = `bench/image-${index}`;
    const push = (platform: string) => pushBuilt(client, `${registry}/${name}`, platform, `${name} ${platform}`);
    images.push({ name, digests: [await push('linux/amd64'), await push('linux/arm64')] });
  }
  await using proxy = await startFaultProxy({ upstream: `http://${registry}` });
  const { host } = new URL(proxy.url);
  const measure = (work: () => Promise<unknown>): Promise<Cost> => costOf(() => proxy.count(), work);
  const references = ({ name, digests }: (typeof images)[number]) =>
    digests.map((digest) => `${host}/${name}@${digest}`);

  const docker = dockerOf(engine);
  const theirs = await measure(async () => {
    for (const image of images) {
      const tags = TAGS.flatMap((tag) => ['--tag', `${host}/${image.name}:theirs-${tag}`]);
      await docker('buildx', 'imagetools', 'create', ...tags, ...references(image));
    }
  });
  const ours = await measure(() =>
    publish({
      sources: images
        .flatMap((image) => references(image).map((reference) => `image=${shortName(image.name)},ref=${reference}`))
        .join('\n'),
      tags: JSON.stringify(
        Object.fromEntries(
          images.map(({ name }) => [shortName(name), { '': TAGS.map((tag) => `${host}/${name}:${tag}`) }]),
        ),
      ),
    }),
  );
  const perTag = ({ seconds, amount }: Cost): Cost => ({ seconds, amount: amount / (IMAGES * TAGS.length) });
  const what = `${IMAGES} images × ${TAGS.length} tags`;
  const peer = 'imagetools create for each image';
  return [
    timeOf(what, ours, peer, theirs),
    {
      name: `${what}: requests a tag`,
      value: perTag(ours).amount,
      unit: 'requests',
      against: { name: peer, value: perTag(theirs).amount },
    },
  ];
}

/** The action in this process: all of a step but the start of Node. */
async function publish(inputs: Readonly<Record<string, string>>): Promise<void> {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), { debug: false });
  const variables = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const environment = { DOCKER_CONFIG: '/nonexistent', ...Object.fromEntries(variables) };
  const event = {
    name: 'push',
    ref: 'refs/heads/main',
    sha: 'c'.repeat(40),
    repository: 'acme/app',
    actor: 'octocat',
    workflow: 'release',
    job: 'publish',
    runId: '1',
    runAttempt: 1,
    serverUrl: 'https://github.com',
    apiUrl: 'http://127.0.0.1:9',
    graphqlUrl: '',
    payload: {},
  };
  const state = { save: () => undefined, get: () => undefined };
  const context = { event, environment, workspace: '/', temp: tmpdir(), log, runCommand, state };
  await run(readInputs(contract, environment, log), context);
}

function dockerOf({ docker, environment }: Engine) {
  return (...args: readonly string[]): Promise<CommandResult> =>
    runCommand(docker, args, { env: { ...process.env, ...environment } });
}

async function costOf(count: () => number, work: () => Promise<unknown>): Promise<Cost> {
  const [start, before] = [performance.now(), count()];
  await work();
  return { seconds: (performance.now() - start) / 1000, amount: count() - before };
}

function tagsOf(repository: string): string {
  return TAGS.map((tag) => `${repository}:${tag}`).join('\n');
}

function shortName(name: string): string {
  return name.split('/').at(-1) ?? name;
}

function timeOf(name: string, ours: Cost, peer: string, theirs: Cost): Figure {
  return { name, value: ours.seconds, unit: 's', against: { name: peer, value: theirs.seconds } };
}

function bytesOf(name: string, ours: Cost, peer: string, theirs: Cost): Figure {
  return { name, value: ours.amount / 1e6, unit: 'MB', against: { name: peer, value: theirs.amount / 1e6 } };
}
