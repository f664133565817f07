import { describe, expect, it } from 'vitest';
import type { BuildFacts } from '../../../../src/actions/multistage-build/plan.ts';
import { planBuild } from '../../../../src/actions/multistage-build/plan.ts';
import { buildInputs, facts, pushEvent, row } from './build-inputs.ts';

const plan = (texts: Readonly<Record<string, string>>, change: Partial<BuildFacts> = {}) =>
  planBuild(buildInputs(texts), { ...facts, ...change });
const targetsOf = (definition: string): Record<string, Record<string, unknown>> =>
  (JSON.parse(definition) as { target: Record<string, Record<string, unknown>> }).target;
const targetOf = (texts: Readonly<Record<string, string>>, change: Partial<BuildFacts> = {}) =>
  Object.values(targetsOf(plan(texts, change).definition))[0] ?? {};

const image = JSON.stringify(row);
const forkEvent = {
  ...pushEvent,
  name: 'pull_request_target',
  payload: { pull_request: { head: { repo: { full_name: 'evil/app' } } } },
};
const ownPullRequest = {
  ...forkEvent,
  name: 'pull_request',
  payload: { pull_request: { head: { repo: { full_name: 'Acme/App' } } } },
};

describe('the plan for a row', () => {
  it('says where the image comes from and what it was built of', () => {
    const target = targetOf({ image });
    expect(target['labels']).toEqual({
      'org.opencontainers.image.title': 'web',
      'org.opencontainers.image.source': 'https://github.com/Acme/App',
      'org.opencontainers.image.revision': 'c'.repeat(40),
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
      'dev.slipway.inputs': 'a'.repeat(64),
    });
    expect(target['annotations']).toEqual([`manifest:dev.slipway.inputs=${'a'.repeat(64)}`]);
  });

  it('dates the image in its output, and leaves the build’s arguments and so its cache alone', () => {
    const target = targetOf({ image, push: 'by-digest' });
    expect(target['output']).toEqual([expect.stringMatching(/,source-date-epoch=1700000000$/)]);
    expect(target['args']).toBeUndefined();
  });

  it('lets the user’s labels and arguments win', () => {
    const target = targetOf({
      image,
      labels: 'org.opencontainers.image.title=Mine',
      'build-args': 'SOURCE_DATE_EPOCH=0\nFROM_ENV',
    });
    expect(target['labels']).toMatchObject({ 'org.opencontainers.image.title': 'Mine' });
    expect(target['args']).toEqual({ SOURCE_DATE_EPOCH: '0' });
  });

  it('only validates, unless something is to be done with the image', () => {
    expect(targetOf({ image })).toMatchObject({
      output: ['type=cacheonly'],
      attest: ['type=provenance,disabled=true'],
    });
  });

  it('pushes by digest from a layout where the builder cannot', () => {
    const planned = plan({ image, push: 'by-digest' });
    expect(planned.images[0]).toMatchObject({
      repository: 'ghcr.io/acme/app/web',
      layout: '/temp/private/layout-web-gpu-linux-amd64',
    });
    expect(Object.values(targetsOf(planned.definition))[0]?.['output']).toEqual([
      'type=oci,tar=false,dest=/temp/private/layout-web-gpu-linux-amd64,source-date-epoch=1700000000',
    ]);
  });

  it('keeps its cache under the row’s scope and mode', () => {
    expect(targetOf({ image })['cache-to']).toEqual([
      'type=gha,scope=web-gpu-amd64,timeout=600s,mode=min,ignore-error=true',
    ]);
  });

  it('can be repeated without caches', () => {
    const { definitionWithoutCache } = plan({ image });
    expect(definitionWithoutCache).not.toContain('"cache-');
    expect(targetsOf(definitionWithoutCache)).toHaveProperty('web-gpu-linux-amd64');
  });

  it('copies a folder out of a stage with the row’s own arguments, and writes no cache for it', () => {
    const planned = plan({ image: JSON.stringify({ ...row, args: { A: '1' }, export: 'builder:/app/dist=site' }) });
    const targets = targetsOf(planned.definition);
    const stage = targets['web-gpu-linux-amd64-stage-builder'];
    expect(stage).toMatchObject({ target: 'builder', args: { A: '1' }, output: ['type=cacheonly'] });
    expect(stage).not.toHaveProperty('cache-to');
    expect(targets['web-gpu-linux-amd64-export-1']).toMatchObject({
      contexts: { exported: 'target:web-gpu-linux-amd64-stage-builder' },
      output: ['type=local,dest=/work/app/site'],
    });
    expect(planned.targets).toEqual(['web-gpu-linux-amd64', 'web-gpu-linux-amd64-export-1']);
  });

  it('gives several rows one graph, and each its own exports', () => {
    const rows = ['cpu', 'gpu'].map((variant) => ({ ...row, variant, export: '/srv' }));
    const planned = plan({ image: JSON.stringify(rows) });
    expect(planned.targets).toHaveLength(4);
    expect(planned.exports.map(({ folder }) => folder)).toEqual(['web-cpu-linux-amd64/srv', 'web-gpu-linux-amd64/srv']);
  });
});

describe('the plan by hand', () => {
  it('builds the repository at its commit when no context is given, with the token as a secret', () => {
    const planned = plan({ 'github-token': 'ghs_1' });
    expect(Object.values(targetsOf(planned.definition))[0]).toMatchObject({
      context: `https://github.com/Acme/App.git#${'c'.repeat(40)}`,
      secret: ['id=GIT_AUTH_TOKEN.github.com,env=SLIPWAY_SECRET_1'],
    });
    expect(planned.definition).not.toContain('ghs_1');
  });

  it('builds the merge ref of a pull request', () => {
    const event = { ...pushEvent, ref: 'refs/pull/5/merge' };
    expect(targetOf({ context: '{{defaultContext}}:sub' }, { event })['context']).toBe(
      'https://github.com/Acme/App.git#refs/pull/5/merge:sub',
    );
  });

  it('gives bake every attribute that docker/build-push-action has an input for', () => {
    const target = targetOf({
      context: 'app',
      file: 'docker/Dockerfile',
      target: 'run',
      platforms: 'linux/amd64,linux/arm64',
      tags: 'a:1',
      'build-args': 'A=1,2',
      'build-contexts': 'x=docker-image://y',
      'add-hosts': 'db:10.0.0.1\nv6=::1',
      network: 'host',
      allow: 'network.host\nfs.read=/x',
      'shm-size': '1g',
      ulimit: 'nofile=1:2',
      'no-cache': 'true',
      'no-cache-filters': 'deps',
      pull: 'true',
      secrets: 'npm=x',
      ssh: 'default',
      outputs: 'type=local,dest=out',
      sbom: 'true',
      annotations: 'index:a=b,c',
      'cache-from': 'type=registry,ref=a',
      'cache-to': 'type=inline',
      load: 'true',
    });
    expect(target).toMatchObject({
      context: 'app',
      dockerfile: '../docker/Dockerfile',
      target: 'run',
      platforms: ['linux/amd64', 'linux/arm64'],
      tags: ['a:1'],
      args: { A: '1,2' },
      contexts: { x: 'docker-image://y' },
      'extra-hosts': { db: '10.0.0.1', v6: '::1' },
      network: 'host',
      entitlements: ['network.host'],
      'shm-size': '1g',
      ulimits: ['nofile=1:2'],
      'no-cache': true,
      'no-cache-filter': ['deps'],
      pull: true,
      secret: ['id=npm,env=SLIPWAY_SECRET_1'],
      ssh: ['default'],
      output: ['type=local,dest=out', 'type=docker,source-date-epoch=1700000000'],
      attest: ['type=provenance,disabled=true', 'type=sbom'],
      annotations: ['index:a=b,c'],
      'cache-from': ['type=registry,ref=a'],
      'cache-to': ['type=inline'],
    });
  });

  it.each([
    [{ 'add-hosts': 'a:1.2.3.4\nb:1.2.3.5' }, ['--add-host', 'a=1.2.3.4', '--add-host', 'b=1.2.3.5']],
    [{ 'cgroup-parent': '/ci' }, ['--cgroup-parent', '/ci']],
    [{ 'add-hosts': 'a:1.2.3.4' }, undefined],
    [{ 'add-hosts': 'a:1.2.3.4\nb:1.2.3.5', export: '/srv' }, undefined],
  ])('with %j is built without bake by %j', (texts, expected) => {
    const { asBuild } = plan({ context: '.', ...texts });
    if (expected === undefined) expect(asBuild).toBeUndefined();
    else expect(asBuild?.withCache).toEqual(expect.arrayContaining(expected));
  });

  it.each([
    [{ context: '.' }, 'Dockerfile'],
    [{ context: '.', tags: 'ghcr.io/acme/web:1,ghcr.io/acme/other:1' }, 'acme-web-Dockerfile'],
    [{ context: '.', tags: 'ghcr.io/acme/web:pr-5@sha256:bad' }, undefined],
    [{ context: 'api', file: 'api/prod.Dockerfile', target: 'run' }, 'api-api-prod.Dockerfile-run'],
    [{ context: '.', platforms: 'linux/arm64' }, 'Dockerfile-linux-arm64'],
    [{ context: '.', 'cache-scope': 'mine' }, 'mine'],
  ])('of %j has the cache scope %s', (texts, scope) => {
    if (scope === undefined) expect(() => plan(texts)).toThrow('input "tags"');
    else expect(targetOf(texts)['cache-from']).toEqual([`type=gha,scope=${scope},timeout=600s`]);
  });

  it('asks bake for what it is allowed, and for no folder but those that are named', () => {
    expect(
      plan({ context: '../other', allow: 'network.host', ssh: 'default', outputs: 'type=local,dest=/out' }).allow,
    ).toEqual(['network.host', 'ssh', 'fs=/temp/private', 'fs.read=../other', 'fs.write=/out']);
  });

  it('warns of arguments that look like secrets', () => {
    expect(plan({ context: '.', 'build-args': 'NPM_TOKEN=x\nV=1' }).warnings).toEqual([
      expect.stringContaining('"NPM_TOKEN"'),
    ]);
  });

  it('warns of empty arguments that a frontend would have baked in, and of no other empty one', () => {
    const args = { 'build-args': 'VITE_API=\nVITE_UNSET\nVITE_SET\nVITE_URL=https://api\nHTTP_PROXY=\nNO_VITE_=' };
    const environment = { ...facts.environment, VITE_SET: 'there' };
    expect(plan({ context: '.', ...args }, { environment }).warnings).toEqual([
      expect.stringContaining('"VITE_API" is empty'),
      expect.stringContaining('"VITE_UNSET" is empty'),
    ]);
  });

  it('warns once of an argument that all variants of an image are given', () => {
    const variants = 'cpu: { args: { MODE: cpu } }\ngpu: { args: { MODE: gpu } }';
    expect(plan({ context: '.', variants, 'build-args': 'REACT_APP_API=' }).warnings).toHaveLength(1);
  });
});

describe('variants by hand', () => {
  const variants = 'cpu: { args: { MODE: cpu }, suffix: "" }\ngpu: { target: run-gpu, args: { MODE: gpu } }';
  it('are targets of one graph, with tags, scopes and cache modes of their own', () => {
    const { definition } = plan({ context: '.', variants, tags: 'ghcr.io/a/b:1', 'cache-scope': 'app' });
    expect(targetsOf(definition)).toMatchObject({
      cpu: { tags: ['ghcr.io/a/b:1'], args: { MODE: 'cpu' } },
      gpu: { tags: ['ghcr.io/a/b:1-gpu'], target: 'run-gpu', args: { MODE: 'gpu' } },
    });
    expect(JSON.stringify(targetsOf(definition)['gpu']?.['cache-to'])).toMatch(/scope=app-gpu,.*mode=min/);
  });

  it.each([
    ['- cpu', 'no mapping'],
    ['cpu: { arg: {} }', 'did you mean args?'],
    ['CPU: {}', 'no name of a variant'],
  ])('%j are refused: %s', (text, message) => {
    expect(() => plan({ context: '.', variants: text })).toThrow(message);
  });
});

describe('the budget of GitHub’s cache', () => {
  it.each([
    ['1', new Map(), 'gha'],
    ['4', new Map(), 'gha'],
    ['1', new Map([['web-gpu-linux-amd64', 11_000_000_000]]), 'registry'],
    ['1', new Map([['web-gpu-linux-amd64', 9_000_000_000]]), 'gha'],
    ['4', new Map([['web-gpu-linux-amd64', 6_000_000_000]]), 'registry'],
    ['4', new Map([['web-gpu-linux-amd64', 1_000_000_000]]), 'gha'],
  ])('shared by %s rows, with published sizes %j, leaves an image for GPUs to %s', (rows, publishedSizes, kind) => {
    const planned = plan({ image, 'cache-rows': rows, repository: 'ghcr.io/acme/{image}' }, { publishedSizes });
    expect(JSON.stringify(targetsOf(planned.definition))).toContain(`type=${kind},`);
    expect(planned.notices).toHaveLength(kind === 'gha' ? 0 : 1);
  });
});

describe('the share of an image', () => {
  const rows = JSON.stringify([row, { ...row, variant: 'cpu', scope: 'web-cpu-amd64', 'cache-mode': 'max' }]);
  const sizes = new Map([
    ['web-gpu-linux-amd64', 1_000_000_000],
    ['web-cpu-linux-amd64', 2_000_000_000],
  ]);
  it.each([
    // 10 GB among two jobs of two images: 2.5 GB each; the second would need 2 GB times 1.5.
    [{ image: rows, 'cache-rows': '2' }, sizes, ['gha 1500', 'registry 2500']],
    [{ image: rows, 'cache-rows': '2', 'cache-mode': 'min' }, sizes, ['gha 1500', 'gha 500']],
    [{ image: rows, 'cache-rows': '1' }, new Map(), ['gha 5000', 'gha 5000']],
    [{ image: rows, 'cache-rows': '', 'cache-budget': '1GB' }, sizes, ['registry 500', 'registry 500']],
    [{ image, 'cache-rows': '1', cache: 'registry' }, sizes, ['registry 10000']],
    // The repository has eight rows, of which this push builds one: 1.25 GB each.
    [{ image: JSON.stringify({ ...row, 'total-rows': 8 }), 'cache-rows': '1' }, sizes, ['gha 250']],
    [{ image: JSON.stringify({ ...row, 'total-rows': 16 }), 'cache-rows': '1' }, sizes, ['registry 625']],
  ])('of %j leaves its cache mounts what its layers do not need: %j %j', (texts, publishedSizes, expected) => {
    const { images } = plan({ repository: 'ghcr.io/acme/{image}', ...texts }, { publishedSizes });
    expect(images.map(({ cache, mountShare }) => `${cache} ${mountShare / 1e6}`)).toEqual(expected);
  });

  it('that is too small stays with GitHub where no registry is known, and says so', () => {
    const publishedSizes = new Map([['image', 20_000_000_000]]);
    const planned = plan({ context: '.', published: 'a/b:1' }, { publishedSizes });
    expect(planned.images[0]).toMatchObject({ cache: 'gha', mountShare: 0 });
    expect(planned.notices).toEqual([expect.stringContaining('"repository" would let it go to the registry')]);
  });
});

describe('the cache of a plan', () => {
  it.each<[string, Record<string, string>, Partial<BuildFacts>, boolean]>([
    ['on the main branch', {}, {}, true],
    ['for a pull request of the repository', {}, { event: ownPullRequest }, true],
    ['for a fork, whatever the event', {}, { event: forkEvent }, false],
    ['in a registry on the main branch', { cache: 'registry' }, {}, true],
    ['in a registry for a pull request', { cache: 'registry' }, { event: ownPullRequest }, false],
  ])('%s: %j', (_, texts, change, isWritten) => {
    const target = targetOf({ image, ...texts }, change);
    expect(target['cache-from']).toHaveLength(1);
    expect('cache-to' in target).toBe(isWritten);
  });

  it.each([
    ['registry', 'a pull request', ['', '.next'], { baseRef: 'next' }],
    ['local', 'a pull request', ['.pr-5', '.next', ''], { baseRef: 'next' }],
    ['local', 'a fork’s pull request', ['.pr-5', ''], { baseRef: 'main', head: 'evil/app' }],
  ] as const)('in a %s reads for %s what its own, the base and the default branch left', (cache, _, ends, event) => {
    const payload = {
      repository: { default_branch: 'main' },
      pull_request: { number: 5, head: { repo: { full_name: 'head' in event ? event.head : 'Acme/App' } } },
    };
    const facts = { event: { ...ownPullRequest, baseRef: event.baseRef, ref: 'refs/pull/5/merge', payload } };
    const target = targetOf({ image, cache, 'cache-folder': '/cache', repository: 'ghcr.io/a/b' }, facts);
    const read = (target['cache-from'] as string[]).map((text) => text.split('web-gpu-amd64')[1]);
    expect(read.toSorted()).toEqual([...ends].toSorted());
    expect('cache-to' in target).toBe(cache === 'local' && !('head' in event));
  });

  it('is left out with a notice where the runner offers none', () => {
    const planned = plan({ image }, { environment: {} });
    expect(planned.definition).not.toContain('"cache-');
    expect(planned.notices).toHaveLength(1);
  });

  it('is left out with a notice where the engine cannot export it', () => {
    const builder = { ...facts.builder, hasContainerdStore: false };
    const planned = plan({ image }, { builder });
    expect(planned.notices).toEqual([expect.stringContaining('driver: docker-container')]);
    expect(planned.definition).not.toContain('attest');
  });
});

describe('inputs that contradict one another', () => {
  it.each([
    [{ image, context: '.' }, '"image" and "context" exclude each other'],
    [{ image, platforms: 'linux/arm64' }, '"image" and "platforms" exclude each other'],
    [{ image: '[]' }, '"image" is an empty list'],
    [{ image: JSON.stringify([row, { ...row, variant: 'cpu' }]), tags: 'a:1' }, '"tags" cannot name several rows'],
    [{ push: 'true' }, '"tags" names nothing'],
    [{ push: 'by-digest' }, '"repository" holds {image}'],
    [{ image, push: 'by-digest', load: 'true' }, 'exclude each other'],
    [{ cache: 'local' }, '"cache-folder"'],
    [{ require: 'root' }, '"root" is none of non-root, healthcheck'],
    [{ context: '.', export: '/a=../out' }, 'input "export"'],
    [{ 'add-hosts': 'x' }, 'name:address'],
    [{ repository: 'ghcr.io/a b' }, 'input "repository"'],
  ])('%j are refused: %s', (texts, message) => {
    expect(() => plan(texts)).toThrow(message);
  });
});
