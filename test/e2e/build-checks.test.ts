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
FROM server AS tools
COPY --from=site /app/dist/index.html /usr/bin/gcc-12
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

  it.each([
    ['server', 'sh -c "echo broken >&2; exit 3"', /smoke: sh -c echo broken.*broken/],
    ['server', 'no-such-program', /smoke: no-such-program.*no-such-program/],
    ['ill', 'healthcheck', /smoke: healthcheck: .*no database/],
    ['server', 'port 9', /smoke: port 9: not within 3 s/],
    ['site', 'port 8080', /smoke: port 8080: it ended with 0/],
    ['site', 'healthcheck', /smoke: healthcheck: .*(?:has no HEALTHCHECK|ended with)/],
  ])('of %s fail by "%s" and name it', async (target, smoke, message) => {
    const tag = `${registry}/smoke/${nonce}:${target}`;
    const { failure, log } = await build({ target, smoke, 'smoke-timeout': '3s', push: 'true', tags: tag });
    expect(failure).toBe('1 check on the image failed; nothing was pushed');
    expect(log).toMatch(message);
  });

  it('find build tools, labels that are missing, and the layer of a file in an exported folder', async () => {
    const { failure, log } = await build({
      target: 'tools',
      require: 'no-build-tools,labels',
      export: 'site:/app/dist=site',
      'forbid-paths': '**/*.map',
      'max-export-size': '3B',
    });
    expect(failure).toMatch(/^5 checks/);
    expect(log).toMatch(/no-build-tools: \/usr\/bin\/gcc-12 in layer sha256:\w+ by COPY/);
    expect(log).toMatch(/labels: the image has no label [\w., ]*org\.opencontainers\.image\.description/);
    expect(log).toMatch(/site: max-export-size: \d+ B of at most 3 B in 2 files/);
    expect(log).toMatch(/site: forbid-paths: site\/assets\/app\.js\.map in layer sha256:\w+ by RUN .*app\.js\.map/);
    expect(log).toMatch(/forbid-paths: \/srv\/assets\/app\.js\.map in layer sha256:\w+ by COPY \/app\/dist \/srv/);
  });

  it('compare with what is published', async () => {
    const repository = `${registry}/growth/${nonce}`;
    const published = await build({ push: 'true', tags: `${repository}:latest` });
    expect(Number(published.outputs['size'])).toBeGreaterThan(0);
    expect(JSON.stringify(published.outputs['layers'])).toContain('COPY /app/dist /srv');
    const rules = { published: `${repository}:latest`, push: 'true', tags: `${repository}:next` };
    expect((await build({ ...rules, 'max-growth': '1%' })).failure).toBeUndefined();
    const { failure, log } = await build({ ...rules, target: 'heavy', 'max-growth': '500kB' });
    expect(failure).toMatch(/^1 check/);
    expect(log).toMatch(
      /max-growth: .* more than the .* published.*its largest new layer sha256:\w+ is 3\.\d MB by RUN .*\/heavy/,
    );
  });
});
