import { describe, expect, test } from 'vitest';
import { inputsTag } from '../../../../src/core/registry/inputs-tag.ts';
import { type GithubApi, startGithubApi } from '../../../harness/standins/github-api.ts';
import { startOidcIssuer } from '../../../harness/standins/oidc-issuer.ts';
import { type Sigstore, startSigstore } from '../../../harness/standins/sigstore.ts';
import { verifyBundle } from '../../core/attest/verify-bundle.ts';
import { type RegistryServer, startRegistry } from '../../core/registry/registry-server.ts';
import { storeIndex } from '../../core/registry/store-index.ts';
import { build, publish } from './publish-step.ts';

interface Services extends AsyncDisposable {
  readonly registry: RegistryServer;
  readonly api: GithubApi;
  readonly sigstore: Sigstore;
  /** Publishes one image for an event; it is signed with the stand-in. */
  publishFor(event: string, inputs?: Readonly<Record<string, string>>): ReturnType<typeof publish>;
}

async function startServices(options: { readonly mayAskForTokens?: boolean } = {}): Promise<Services> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry());
  const issuer = stack.use(await startOidcIssuer());
  const sigstore = stack.use(await startSigstore({ issuer: issuer.issuer }));
  const api = stack.use(await startGithubApi({ repositories: [{ fullName: 'Acme/App', defaultBranch: 'main' }] }));
  const digest = storeIndex(registry, 'acme/app', await build(['linux/amd64', 'linux/arm64'], 'x'));
  const running = stack.move();
  return {
    registry,
    api,
    sigstore,
    publishFor: (event, inputs = {}) =>
      publish(
        {
          sources: `${registry.host}/acme/app@${digest}`,
          tags: `${registry.host}/acme/app:1.0.0`,
          sigstore: `fulcio=${sigstore.url}\nrekor=${sigstore.url}`,
          'github-token': 'ghs_job',
          ...inputs,
        },
        {
          environment: options.mayAskForTokens === false ? {} : issuer.environment(),
          api: api.url,
          event: { name: event },
        },
      ),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

describe('attestation', () => {
  test('signs the provenance of a release and keeps it at GitHub, before the tag is written', async () => {
    await using services = await startServices();
    const { registry, api, sigstore } = services;
    const tagsThen: number[] = [];
    registry.onTag = () => tagsThen.push(api.attestations.length);
    const { outputs, summary } = await services.publishFor('release');
    expect(tagsThen).toEqual([1]);
    expect(outputs.attestations).toBe('https://github.com/Acme/App/attestations/1');
    expect(summary).toContain('Provenance');
    const [stored] = api.attestations;
    expect(verifyBundle(stored?.bundle, sigstore).uri).toContain('/.github/workflows/release.yml@');
    const payload = /"payload":"([^"]+)"/.exec(JSON.stringify(stored?.bundle))?.[1] ?? '';
    expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({
      subject: [{ name: `${registry.host}/acme/app`, digest: { sha256: String(outputs.digest).slice(7) } }],
    });
  });

  test('is not made for other events unless it is asked for', async () => {
    await using services = await startServices();
    await services.publishFor('push');
    expect(services.api.attestations).toHaveLength(0);
    await services.publishFor('push', { attest: 'true', tags: `${services.registry.host}/acme/app:2.0.0` });
    expect(services.api.attestations).toHaveLength(1);
  });

  test('one is enough: a run that was cut off after it signs no second', async () => {
    await using services = await startServices();
    services.registry.fail({ status: 400, match: /^PUT .*manifests\/1\.0\.0$/ });
    await expect(services.publishFor('release')).rejects.toThrow('400');
    await services.publishFor('release');
    expect(services.api.attestations).toHaveLength(1);
    expect([...services.registry.repository('acme/app').tags.keys()]).toEqual(['1.0.0']);
  });

  test('no tag is written when it cannot be made', async () => {
    await using services = await startServices();
    services.sigstore.fail({ status: 400, match: /log\/entries/, body: 'out of order' });
    await expect(services.publishFor('release')).rejects.toThrow('Rekor answered 400: out of order');
    services.api.fail({ status: 403, match: /POST .*attestations/ });
    await expect(services.publishFor('release')).rejects.toThrow('attestations: write');
    expect(services.registry.repository('acme/app').tags.size).toBe(0);
  });

  test('without the permission, what is asked for fails at once and the default goes on', async () => {
    await using services = await startServices({ mayAskForTokens: false });
    await expect(services.publishFor('push', { attest: 'true' })).rejects.toThrow('id-token: write');
    expect(services.registry.requests).toEqual([]);
    const { log } = await services.publishFor('release');
    expect(log.lines.join('\n')).toContain('no provenance was made');
    expect(services.registry.repository('acme/app').tags.size).toBe(1);
  });

  test('a promoted image keeps the provenance of the run that built it', async () => {
    await using services = await startServices();
    await services.publishFor('push');
    await services.publishFor('release', {
      sources: '',
      promote: `${services.registry.host}/acme/app:1.0.0`,
      tags: `${services.registry.host}/acme/app:stable`,
    });
    expect(services.api.attestations).toHaveLength(0);
  });

  test('rows that existed before keep the provenance of the run that built them', async () => {
    await using services = await startServices();
    const { registry, api } = services;
    const inputs = '7'.repeat(64);
    storeIndex(registry, 'acme/app', await build(['linux/amd64'], 'y'), inputsTag(inputs));
    const row = { image: 'app', platform: 'linux/amd64', inputs };
    const given = { sources: '', from: 'builds', tags: `${registry.host}/acme/app:3.0.0` };
    await services.publishFor('release', { ...given, matrix: JSON.stringify([{ ...row, exists: true }]) });
    expect(registry.repository('acme/app').tags.has('3.0.0')).toBe(true);
    expect(api.attestations).toHaveLength(0);
  });

  test('refuses an instance that is none', async () => {
    await using services = await startServices();
    for (const [sigstore, message] of [
      ['fulcio=x', 'is no address'],
      ['rekor=https://rekor.example.com', '"fulcio=…" is missing'],
      ['fulcio=https://fulcio.example.com', 'give "rekor=…" or "tsa=…"'],
      ['log=https://rekor.example.com', 'is none of'],
    ] as const) {
      await expect(services.publishFor('release', { sigstore })).rejects.toThrow(message);
    }
  });
});
