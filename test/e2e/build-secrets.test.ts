import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/core/runner/command.ts';
import { startResultsService } from '../harness/standins/results-service.ts';
import { baseImage, buildStep, makeWorkspace, nonce, registry } from './build-step.ts';
import { readCacheEntries, readEverything, readRepository } from './image-layout.ts';

/** A Git server that shows its repositories to nobody without the token: git's own backend behind HTTP. */
async function startGitServer(folder: string, token: string): Promise<{ readonly url: string } & AsyncDisposable> {
  // The scheme's name has no case (RFC 9110, section 11.1); BuildKit writes it small.
  const wanted = `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  const server = createServer((message, response) => {
    if (message.headers.authorization?.replace(/^Basic/, 'basic') !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const url = new URL(message.url ?? '/', 'http://git');
    const environment = {
      ...process.env,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: message.method ?? 'GET',
      CONTENT_TYPE: message.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: message.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(message.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'x-access-token',
    };
    const backend = spawn('git', ['http-backend'], { env: environment });
    message.pipe(backend.stdin);
    const chunks: Buffer[] = [];
    backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    backend.on('close', () => {
      const answer = Buffer.concat(chunks);
      const end = answer.indexOf('\r\n\r\n');
      const fields = answer
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => line.split(': '));
      const status = Number(fields.find(([name]) => name === 'Status')?.[1]?.slice(0, 3) ?? 200);
      for (const [name = '', value = ''] of fields) if (name !== 'Status') response.setHeader(name, value);
      response.writeHead(status).end(answer.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

describe('secrets', () => {
  let root = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
  });
  afterAll(() => rm(root, { recursive: true }));

  const login = { username: 'me', password: `pass-${randomUUID()}` };
  it.each([
    // A check that fails shows more of the build than one that passes.
    ['a build that fails a check, with its cache at GitHub', { cache: 'gha', require: 'non-root' }, '1 check'],
    ['a build that is pushed, with its cache in the registry', { cache: 'registry' }, undefined],
  ])('appear in no log, output, state, argument, image, provenance or cache of %s', async (_, inputs, failure) => {
    await using results = await startResultsService();
    const secrets = {
      text: `text-${randomUUID()}`,
      variable: `variable-${randomUUID()}`,
      file: `file-${randomUUID()}`,
    };
    const workspace = await makeWorkspace(root, {
      Dockerfile: `FROM ${baseImage}\nRUN --mount=type=secret,id=text --mount=type=secret,id=variable --mount=type=secret,id=file echo ${nonce} ${inputs.cache} && cat /run/secrets/* | wc -c > /length-${nonce}\n`,
      'secret.txt': secrets.file,
      '.dockerignore': 'secret.txt',
    });
    const folder = await mkdtemp(join(root, 'case-'));
    const argv = join(folder, 'argv');
    const docker = (await runCommand('sh', ['-c', 'command -v docker'])).stdout.trim();
    await writeFile(join(folder, 'docker'), `#!/bin/sh\nprintf '%s\\n' "$@" >> ${argv}\nexec ${docker} "$@"\n`);
    await chmod(join(folder, 'docker'), 0o755);
    const repository = `${registry}/secrets/${nonce}/${inputs.cache}`;
    const service = results.environment();
    const step = await buildStep({
      root,
      workspace,
      inputs: {
        context: '.',
        secrets: `text=${secrets.text}`,
        'secret-envs': 'variable=VARIABLE',
        'secret-files': 'file=secret.txt',
        provenance: 'mode=max',
        push: 'true',
        tags: `${repository}:1`,
        repository,
        outputs: `type=oci,dest=${folder}/layout.tar`,
        ...login,
        registry,
        ...inputs,
      },
      environment: { ...service, VARIABLE: secrets.variable, PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    });
    expect(step.failure ?? 'none', step.log).toContain(failure ?? 'none');
    await step.post();
    await mkdir(join(folder, 'layout'));
    await runCommand('tar', ['-xf', `${folder}/layout.tar`, '-C', join(folder, 'layout')]);
    const seen = new Map([
      ['log', step.log.replace(/^::add-mask::.*$/gm, '')],
      ['outputs', JSON.stringify(step.outputs)],
      ['summary', step.summary],
      ['state', JSON.stringify([...step.state])],
      ['arguments', await readFile(argv, 'utf8')],
      ['image', await readEverything(join(folder, 'layout'))],
      ['registry', await readRepository(repository)],
      ['cache', await readCacheEntries(results, service)],
    ]);
    // What must not hold secrets holds what was built, or the search would find nothing anywhere.
    const built = inputs.cache === 'gha' ? ['image', 'cache'] : ['image', 'registry'];
    const has = (where: string, wanted: string): boolean => seen.get(where)?.includes(wanted) === true;
    for (const where of built) expect([where, has(where, nonce)]).toEqual([where, true]);
    expect(has(inputs.cache === 'gha' ? 'image' : 'registry', 'https://slsa.dev/provenance')).toBe(true);
    const encoded = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    for (const where of seen.keys())
      for (const secret of [...Object.values(secrets), login.password, encoded, service['ACTIONS_RUNTIME_TOKEN'] ?? ''])
        expect([where, has(where, secret)]).toEqual([where, false]);
    expect(step.log).toContain(`::add-mask::${secrets.text}`);
    expect(await readdir(step.temp)).toEqual([]);
  });

  it('open the default context on a server that asks for a token', async () => {
    const token = `ghs_${randomUUID()}`;
    await using server = await startGitServer(root, token);
    const source = await makeWorkspace(root, { Dockerfile: `FROM scratch\nCOPY file /file\n`, file: nonce });
    const git = (...args: string[]) =>
      runCommand('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.invalid', ...args], { cwd: source });
    await git('init', '--quiet', '--initial-branch=main');
    await git('add', '--all');
    await git('commit', '--quiet', '--message', 'First');
    const sha = (await git('rev-parse', 'HEAD')).stdout.trim();
    await runCommand('git', ['clone', '--quiet', '--bare', source, join(root, 'Acme', 'App.git')]);
    const workspace = await makeWorkspace(root, {});
    const build = (inputs: Readonly<Record<string, string>>) =>
      buildStep({
        root,
        workspace,
        inputs: { cache: 'off', outputs: `type=local,dest=${root}/from-git`, 'dockerfile-checks': 'false', ...inputs },
        environment: { GITHUB_SERVER_URL: server.url, GITHUB_SHA: sha },
      });
    const denied = await build({});
    expect(denied.failure).toMatch(/^the build failed/);
    const allowed = await build({ 'github-token': token });
    expect(allowed.failure, allowed.log).toBeUndefined();
    expect(await readFile(join(root, 'from-git', 'file'), 'utf8')).toBe(nonce);
    expect(`${allowed.log.replace(/^::add-mask::.*$/gm, '')}${JSON.stringify(allowed.outputs)}`).not.toContain(token);
  });
});
