import { generateKeyPairSync } from 'node:crypto';
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contract } from '../../src/actions/multistage-build/contract.ts';
import { parseRepository } from '../../src/core/registry/reference.ts';
import { createRegistryClient } from '../../src/core/registry/registry-client.ts';
import { runCommand } from '../../src/core/runner/command.ts';
import { baseImage, buildStep, makeWorkspace, nonce, registry, type StepResult } from './build-step.ts';
import { readEverything, readImageFacts } from './image-layout.ts';

/** The 33 inputs of docker/build-push-action v7.3.0. */
const PEER_INPUTS =
  'add-hosts allow annotations attests build-args build-contexts builder cache-from cache-to call cgroup-parent context file labels load network no-cache no-cache-filters outputs platforms provenance pull push sbom secrets secret-envs secret-files shm-size ssh tags target ulimit github-token'.split(
    ' ',
  );

const dockerfile = `FROM ${baseImage} AS deps
ARG A=none
ARG B
RUN echo "${nonce} $A" > /arg && echo "$B" >> /arg
FROM deps AS hosts
RUN grep slipway /etc/hosts > /hosts
FROM deps AS shm
RUN df -k /dev/shm | tail -1 | awk '{ print $2 }' > /shm
FROM deps AS limit
RUN ulimit -n > /limit
FROM deps AS group
RUN grep -o '/slipway-parity' /proc/1/cgroup | head -1 > /group; test -s /group
FROM deps AS secret
RUN --mount=type=secret,id=one --mount=type=secret,id=two --mount=type=secret,id=three cat /run/secrets/* | wc -c > /length
FROM deps AS agent
RUN --mount=type=ssh,id=key test -S "$SSH_AUTH_SOCK" && echo yes > /agent
FROM deps AS interfaces
RUN ls /sys/class/net > /interfaces
FROM scratch AS files
COPY --chmod=640 data /data
FROM scratch AS named
COPY --from=other /file /file
FROM deps AS final
ENV MODE=prod
WORKDIR /srv
USER 1000
EXPOSE 8080
CMD ["true"]
`;

/** Inputs of the action, and the arguments of plain `docker buildx build` that mean the same. `{root}` is the test's folder. */
const images: readonly (readonly [inputs: Readonly<Record<string, string>>, args: readonly string[]])[] = [
  [{}, []],
  [
    { target: 'hosts', 'add-hosts': 'slipway-db:10.1.2.3,slipway-v6:fd00::1' },
    ['--target', 'hosts', '--add-host', 'slipway-db:10.1.2.3', '--add-host', 'slipway-v6:fd00::1'],
  ],
  [
    { target: 'interfaces', allow: 'network.host', network: 'host' },
    ['--target', 'interfaces', '--allow', 'network.host', '--network', 'host'],
  ],
  [{ target: 'interfaces', network: 'none' }, ['--target', 'interfaces', '--network', 'none']],
  [
    { annotations: 'index:a=1\nmanifest:b=x,y=z', provenance: 'true' },
    [
      '--annotation',
      'index:a=1',
      '--annotation',
      'manifest:b=x,y=z',
      '--provenance',
      'mode=min,builder-id=https://github.com/Acme/App/actions/runs//attempts/1',
    ],
  ],
  [{ attests: 'type=provenance,mode=max' }, ['--attest', 'type=provenance,mode=max']],
  [
    { provenance: 'mode=max' },
    ['--provenance', 'mode=max,builder-id=https://github.com/Acme/App/actions/runs//attempts/1'],
  ],
  [{ provenance: 'false' }, ['--provenance', 'false']],
  [{ sbom: `generator=${registry}/scanner/${nonce}:1` }, ['--sbom', `generator=${registry}/scanner/${nonce}:1`]],
  [
    { 'build-args': 'A=a, "quoted" $HOME ${B} = x\nB' },
    ['--build-arg', 'A=a, "quoted" $HOME ${B} = x', '--build-arg', 'B'],
  ],
  [{ target: 'named', 'build-contexts': 'other=other' }, ['--target', 'named', '--build-context', 'other=other']],
  [
    { target: 'group', 'cgroup-parent': '/slipway-parity' },
    ['--target', 'group', '--cgroup-parent', '/slipway-parity'],
  ],
  [{ context: 'sub', file: 'sub/docker/Other.Dockerfile' }, ['--file', 'sub/docker/Other.Dockerfile']],
  [{ labels: 'a=1\nb=x=y,z\n"c=two\nlines"' }, ['--label', 'a=1', '--label', 'b=x=y,z', '--label', 'c=two\nlines']],
  [
    { target: 'files', platforms: 'linux/amd64,linux/arm64' },
    ['--target', 'files', '--platform', 'linux/amd64,linux/arm64'],
  ],
  [{ pull: 'true' }, ['--pull']],
  [
    { target: 'secret', secrets: 'one=abcdefgh', 'secret-envs': 'two=TWO', 'secret-files': 'three=secret.txt' },
    [
      '--target',
      'secret',
      '--secret',
      'id=one,env=ONE',
      '--secret',
      'id=two,env=TWO',
      '--secret',
      'id=three,src=secret.txt',
    ],
  ],
  [{ target: 'shm', 'shm-size': '128m' }, ['--target', 'shm', '--shm-size', '128m']],
  [{ target: 'agent', ssh: 'key=id_rsa' }, ['--target', 'agent', '--ssh', 'key=id_rsa']],
  [{ target: 'limit', ulimit: 'nofile=1234:2345' }, ['--target', 'limit', '--ulimit', 'nofile=1234:2345']],
  [{ builder: 'default' }, ['--builder', 'default']],
  [
    { 'cache-from': 'type=local,src={root}/cache', 'cache-to': 'type=local,dest={root}/cache-ours,mode=max' },
    ['--cache-from', 'type=local,src={root}/cache', '--cache-to', 'type=local,dest={root}/cache-theirs,mode=max'],
  ],
];
/** Shown in tests of their own below, and `github-token` by the default context. */
const SHOWN_APART = ['call', 'load', 'no-cache', 'no-cache-filters', 'outputs', 'push', 'tags', 'github-token'];

describe('parity with docker buildx build, as docker/build-push-action calls it', () => {
  let root = '';
  let workspace = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
    workspace = await makeWorkspace(root, {
      Dockerfile: dockerfile,
      data: 'data\n',
      'other/file': 'other\n',
      'sub/docker/Other.Dockerfile': 'FROM scratch\nCOPY inner /inner\n',
      'sub/inner': 'inner\n',
      'secret.txt': 'from a file',
    });
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(join(workspace, 'id_rsa'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
    const scanner = await makeWorkspace(root, {
      Dockerfile: `FROM ${baseImage}\nCOPY scan /scan\nENTRYPOINT ["/scan"]\n`,
      scan: `#!/bin/sh\necho '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","predicate":{"name":"scan"}}' > $BUILDKIT_SCAN_DESTINATION/sbom.spdx.json\n`,
    });
    await chmod(join(scanner, 'scan'), 0o755);
    await plain(['--push', '--tag', `${registry}/scanner/${nonce}:1`, scanner]);
    await plain(['--cache-to', `type=local,dest=${root}/cache`, '--output', 'type=cacheonly', workspace]);
  });
  afterAll(() => rm(root, { recursive: true }));

  const environment = { B: 'from the environment', ONE: 'abcdefgh', TWO: 'from a variable' };
  /** Labels that the action adds, so that all else can be compared as it is. */
  const LABELS = ['source=https://github.com/Acme/App', `revision=${'c'.repeat(40)}`].flatMap((label) => [
    '--label',
    `org.opencontainers.image.${label}`,
  ]);

  async function plain(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<void> {
    await runCommand('docker', ['buildx', 'build', '--quiet', ...args], {
      cwd: workspace || root,
      env: { ...process.env, ...environment, ...more },
    });
  }
  const ours = (
    inputs: Readonly<Record<string, string>>,
    more: Readonly<Record<string, string>> = {},
  ): Promise<StepResult> =>
    buildStep({
      root,
      workspace,
      inputs: { context: '.', network: 'default', cache: 'off', 'github-token': '', ...inputs },
      environment: { ...environment, ...more },
    });

  it('every input of the peer is one of ours, and is shown here', () => {
    expect(PEER_INPUTS).toHaveLength(33);
    expect(PEER_INPUTS.filter((name) => !Object.hasOwn(contract.inputs, name))).toEqual([]);
    const shown = new Set([...images.flatMap(([inputs]) => Object.keys(inputs)), ...SHOWN_APART]);
    expect(PEER_INPUTS.filter((name) => !shown.has(name))).toEqual([]);
  });

  it.each(images)('%j is %j', async (inputs, args) => {
    const folder = await mkdtemp(join(root, 'pair-'));
    const output = (name: string): string => `type=oci,tar=false,dest=${join(folder, name)}`;
    const placed = (text: string): string => text.replaceAll('{root}', root);
    const given = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, placed(value)]));
    const step = await ours({ outputs: output('ours'), ...given });
    expect(step.failure, step.log).toBeUndefined();
    const attest = args.some((arg) => /provenance|attest|sbom/.test(arg)) ? [] : ['--provenance', 'false'];
    const sbom = 'sbom' in inputs ? ['--provenance', 'false'] : [];
    await plain([
      ...LABELS,
      ...attest,
      ...sbom,
      ...args.map(placed),
      '--output',
      output('theirs'),
      inputs['context'] ?? '.',
    ]);
    const facts = await readImageFacts(join(folder, 'ours'));
    expect(facts).toEqual(await readImageFacts(join(folder, 'theirs')));
    expect(facts.layers.flat().length).toBeGreaterThan(0);
  });

  it('"outputs" leaves the same files with the same modes', async () => {
    await ours({ target: 'files', outputs: `type=local,dest=${root}/files-ours\ntype=tar,dest=${root}/ours.tar` });
    await plain([
      '--target',
      'files',
      '--output',
      `type=local,dest=${root}/files-theirs`,
      '--provenance',
      'false',
      '.',
    ]);
    const list = async (folder: string): Promise<string> =>
      (await runCommand('sh', ['-c', 'find . -type f -exec stat -c "%n %a %s" {} + | sort'], { cwd: folder })).stdout;
    expect(await list(join(root, 'files-ours'))).toBe(await list(join(root, 'files-theirs')));
    expect(await readdir(root)).toContain('ours.tar');
  });

  it('"push" and "tags" push what plain buildx pushes', async () => {
    const [one, other] = ['ours', 'theirs'].map((name) => `${registry}/parity/${nonce}/${name}`);
    await ours({ push: 'true', tags: `${one}:1,${one}:2`, provenance: 'false' });
    await plain([...LABELS, '--push', '--tag', `${other}:1`, '--provenance', 'false', '.']);
    const client = createRegistryClient();
    const digests = await Promise.all(
      [`${one}:1`, `${one}:2`, `${other}:1`].map((text) => {
        const [repository = '', tag = ''] = text.split(/:(?=\d$)/);
        return client.findManifest(parseRepository(repository), tag);
      }),
    );
    const layers = digests.map((manifest) => JSON.parse(manifest?.bytes.toString('utf8') ?? '{}').layers);
    expect(layers[0]?.length).toBeGreaterThan(0);
    expect(layers).toEqual([layers[2], layers[2], layers[2]]);
  });

  it('"load" puts the image that plain buildx loads into the engine, under its tags', async () => {
    const [one, other] = ['ours', 'theirs'].map((name) => `slipway-parity-${name}:${nonce}`);
    const { outputs } = await ours({ load: 'true', tags: `${one},${one}-2` });
    await plain([...LABELS, '--load', '--tag', other ?? '', '--provenance', 'false', '.']);
    const inspect = async (name: string | undefined, format: string): Promise<string> =>
      (await runCommand('docker', ['image', 'inspect', '--format', format, name ?? ''])).stdout.trim();
    const facts = '{{json .Config}} {{json .RootFS}} {{.Architecture}}';
    expect(await inspect(one, '{{.Id}}')).toBe(outputs['digest']);
    expect(await inspect(`${one}-2`, '{{.Id}}')).toBe(outputs['digest']);
    expect(await inspect(one, facts)).toBe(await inspect(other, facts));
    await runCommand('docker', ['image', 'rm', one ?? '', `${one}-2`, other ?? '']);
  });

  it('SOURCE_DATE_EPOCH and "rewrite-timestamp" of "outputs" give the same bytes', async () => {
    const folder = await mkdtemp(join(root, 'epoch-'));
    const output = (name: string): string => `type=oci,tar=false,rewrite-timestamp=true,dest=${join(folder, name)}`;
    const environment = { SOURCE_DATE_EPOCH: '1700000000' };
    const step = await ours({ target: 'files', outputs: output('ours') }, environment);
    expect(step.failure, step.log).toBeUndefined();
    const args = ['--target', 'files', '--provenance', 'false', '--output', output('theirs'), '.'];
    await plain([...LABELS, ...args], environment);
    const digest = async (name: string): Promise<unknown> => {
      const { manifests } = JSON.parse(await readFile(join(folder, name, 'index.json'), 'utf8'));
      return manifests[0].digest;
    };
    expect(await digest('ours')).toBe(await digest('theirs'));
    expect((await readEverything(join(folder, 'ours'))).includes('2023-11-14T22:13:20Z')).toBe(true);
  });

  it.each([
    [{ 'no-cache': 'true' }, { deps: false, limit: false }],
    [{ 'no-cache-filters': 'limit' }, { deps: true, limit: false }],
    [{}, { deps: true, limit: true }],
  ])('%j builds again what it says: %j is cached', async (inputs, cached) => {
    await ours({ target: 'limit' });
    const { log } = await ours({ target: 'limit', ...inputs });
    for (const [stage, isCached] of Object.entries(cached))
      expect([stage, new RegExp(`^${stage} \\d/\\d RUN .*CACHED$`, 'm').test(log)]).toEqual([stage, isCached]);
  });

  it('"call" checks, and lists arguments and stages, without a build', async () => {
    expect((await ours({ call: 'targets' })).log).toMatch(/^interfaces/m);
    expect((await ours({ call: 'outline', target: 'deps' })).log).toMatch(/^A +/m);
    const passed = await ours({ call: 'check', 'build-contexts': 'other=other' });
    expect(passed.failure, passed.log).toBeUndefined();
    await cp(join(workspace, 'Dockerfile'), join(workspace, 'docker.bad'));
    await writeFile(join(workspace, 'docker.bad'), `from ${baseImage} AS One\nRUN echo $MISSING\n`);
    const { failure, log } = await ours({ call: 'check', file: 'docker.bad' });
    expect(failure).toMatch(/^the checks of the Dockerfile found \d things?$/);
    expect(log).toMatch(/::warning title=Dockerfile check \w+,file=docker\.bad,line=1::/);
    expect(await readFile(join(workspace, 'Dockerfile'), 'utf8')).toBe(dockerfile);
  });
});
