import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/core/runner/command.ts';
import { baseImage, buildStep, makeWorkspace, nonce, registry, type StepResult } from './build-step.ts';

const service = `FROM ${baseImage} AS site
RUN echo ${nonce} && mkdir -p /app/dist/assets && echo hi > /app/dist/index.html
RUN echo ${nonce} && echo '{}' > /app/dist/assets/app.js.map
FROM ${baseImage} AS server
COPY --from=site /app/dist /srv
EXPOSE 8080
USER 1000
HEALTHCHECK --interval=1s --start-period=5s CMD [ -f /srv/index.html ]
CMD ["sh", "-c", "while true; do printf 'HTTP/1.0 200 OK\\r\\n\\r\\nok' | nc -l -p 8080; done"]
FROM server AS ill
HEALTHCHECK --interval=1s --retries=1 CMD echo "no database" && exit 1
FROM ${baseImage} AS bad
COPY --from=site /app/dist/index.html /usr/bin/gcc-12
COPY --from=site /app/dist /srv
RUN echo ${nonce} && rm /srv/assets/app.js.map && dd if=/dev/urandom of=/weights bs=1024 count=200 2>/dev/null
USER root
FROM server AS heavy
USER 0:0
RUN echo ${nonce} && dd if=/dev/urandom of=/heavy bs=1024 count=3000 2>/dev/null
`;

describe('checks on what was built', () => {
  let root = '';
  let workspace = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'slipway-e2e-'));
    workspace = await makeWorkspace(root, { Dockerfile: service });
  });
  afterAll(() => rm(root, { recursive: true }));

  const build = (inputs: Readonly<Record<string, string>>): Promise<StepResult> =>
    buildStep({ root, workspace, inputs: { context: '.', target: 'server', cache: 'off', ...inputs } });

  it('run the image: a command, its health check, its port', async () => {
    const { failure, summary, log } = await build({
      smoke: 'test -f /srv/index.html\nsh -c "echo out of a shell"\nhealthcheck\nport 8080\nport 8080 /',
      'smoke-timeout': '20s',
    });
    expect(failure, log).toBeUndefined();
    expect(summary.match(/✅/g)).toHaveLength(5);
    const containers = await runCommand('docker', ['ps', '--all', '--filter', 'name=slipway-smoke', '--quiet']);
    const images = await runCommand('docker', ['image', 'ls', '--quiet', 'slipway-smoke*']);
    expect([containers.stdout, images.stdout]).toEqual(['', '']);
  });

  it.each<[string, string, readonly RegExp[]]>([
    [
      'server',
      'sh -c "echo broken >&2; exit 3"\nno-such-program\nport 9',
      [/smoke: sh -c echo broken.*broken/, /smoke: no-such-program.*no-such-program/, /smoke: port 9: not within 3 s/],
    ],
    ['ill', 'healthcheck', [/smoke: healthcheck: .*no database/]],
    [
      'site',
      'healthcheck\nport 8080',
      [/smoke: healthcheck: .*(?:has no HEALTHCHECK|ended with)/, /smoke: port 8080: it ended with 0/],
    ],
  ])('of %s fail by %j and name it', async (target, smoke, messages) => {
    const tag = `${registry}/smoke/${nonce}:${target}`;
    const { failure, log } = await build({ target, smoke, 'smoke-timeout': '3s', push: 'true', tags: tag });
    expect(failure).toMatch(new RegExp(`^${messages.length} checks? on the image failed; nothing was pushed$`));
    for (const message of messages) expect(log).toMatch(message);
  });

  const LAYER = 'in layer sha256:\\w{12} by';
  it('say what failed, with the layer and the instruction, where nothing is pushed or loaded', async () => {
    const { failure, log, summary, outputs } = await build({
      target: 'bad',
      'max-size': '100kB',
      require: 'non-root,healthcheck,labels,no-build-tools',
      'forbid-paths': '**/*.map',
      export: 'site:/app/dist=site',
      'max-export-size': '3B',
    });
    const findings: Readonly<Record<string, string>> = {
      'image: max-size': 'MB of at most 100(?:\\.0)? kB; the largest layer sha256:\\w{12} is 1\\.\\d MB by .+',
      'image: non-root': 'processes run as root by USER root',
      'image: healthcheck': 'the image has no HEALTHCHECK',
      'image: labels': 'the image has no label [\\w., ]*org\\.opencontainers\\.image\\.description',
      'image: no-build-tools': `/usr/bin/gcc-12 ${LAYER} COPY /app/dist/index.html /usr/bin/gcc-12`,
      // A file that a later layer deletes travels with the image.
      'image: forbid-paths': `/srv/assets/app.js.map ${LAYER} COPY /app/dist /srv`,
      'site: max-export-size': `6 B of at most 3 B in 2 files; the largest has 3 B: site/\\S+ ${LAYER} RUN .+`,
      'site: forbid-paths': `site/assets/app.js.map ${LAYER} RUN .*app.js.map`,
    };
    for (const [check, finding] of Object.entries(findings))
      expect(log).toMatch(new RegExp(`^::error title=Check on the image::${check}: .*${finding}`, 'm'));
    expect(failure).toBe('8 checks on the image failed');
    expect(summary.match(/❌/g)).toHaveLength(8);
    expect(Number(outputs['size'])).toBeGreaterThan(100_000);
    expect(outputs['refs']).toBe('');
  });

  it('pass an image and a folder as they should be', async () => {
    const { failure, log, summary } = await build({
      'max-size': '50MB',
      require: 'non-root,healthcheck',
      'forbid-paths': '**/.env\n**/__pycache__/**\n**/.git/**',
      export: '/srv=served',
      'max-export-size': '1kB',
    });
    expect(failure, log).toBeUndefined();
    expect(summary.match(/✅/g)).toHaveLength(6);
  });

  it('compare with what is published', async () => {
    const repository = `${registry}/growth/${nonce}`;
    const published = await build({ push: 'true', tags: `${repository}:latest` });
    expect(Number(published.outputs['size'])).toBeGreaterThan(0);
    expect(JSON.stringify(published.outputs['layers'])).toContain('COPY /app/dist /srv');
    const rules = { published: `${repository}:latest`, push: 'true', tags: `${repository}:next` };
    expect((await build({ ...rules, 'max-growth': '1%' })).failure).toBeUndefined();
    const { failure, log, summary } = await build({ ...rules, target: 'heavy', 'max-growth': '500kB' });
    expect(summary).toMatch(/\d MB compressed \(\+3\.\d MB against published\)/);
    expect(failure).toMatch(/^1 check/);
    expect(log).toMatch(
      /max-growth: .* more than the .* published.*its largest new layer sha256:\w+ is 3\.\d MB by RUN .*\/heavy/,
    );
  });
});
