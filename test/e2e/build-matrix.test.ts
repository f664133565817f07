import { describe, expect, test } from 'vitest';
import { runPlan, runPush } from '../unit/actions/build-matrix/plan-step.ts';
import { type Files, TemporaryRepository } from '../unit/core/git/temporary-repository.ts';

const FILES: Files = {
  'docker-bake.hcl': `variable "PYTHON" {
  default = "3.12"
}
variable "GITHUB_TOKEN" {
  default = "none"
}
function "name" {
  params = [word]
  result = "acme.\${word}:1"
}
group "default" {
  targets = ["services", "tool"]
}
group "services" {
  targets = ["api", "worker"]
}
target "_common" {
  args = { PYTHON = PYTHON, TOKEN = GITHUB_TOKEN, LITERAL = "$\${HOME}" }
}
target "base" {
  dockerfile = "docker/base.Dockerfile"
  tags = [name("base")]
}
target "api" {
  inherits = ["_common"]
  context = "api"
  contexts = { parent = "target:base" }
  platforms = ["linux/amd64", "linux/arm64"]
}
target "worker" {
  name = "worker-\${kind}"
  matrix = { kind = ["cpu", "gpu"] }
  context = "worker"
  target = kind
}
target "tool" {
  dockerfile-inline = <<EOT
FROM scratch
COPY tool /
EOT
  secret = ["id=npm,src=not-there"]
  ssh = ["default"]
  cache-to = ["type=gha,scope=x"]
}
`,
  'docker/base.Dockerfile': 'FROM python:3\nCOPY shared /s\n',
  'api/Dockerfile': 'FROM parent\nCOPY f /\n',
  'api/f': '1',
  'worker/Dockerfile': 'FROM python:3 AS cpu\nCOPY f /\nFROM nvidia/cuda:12 AS gpu\nCOPY g /\n',
  'worker/f': '1',
  'worker/g': '1',
  'shared/lib': '1',
  tool: '1',
};
const engine = { environment: { PATH: process.env['PATH'] ?? '', DOCKER_CONFIG: process.env['DOCKER_CONFIG'] ?? '' } };

async function changed(repository: TemporaryRepository, files: Files): Promise<readonly string[]> {
  const before = await repository.id('HEAD');
  await repository.commit(files);
  const { environment } = engine;
  const { reasons } = await runPlan(repository, { event: 'push', payload: { before }, environment });
  return Object.keys(reasons);
}

describe('a bake file, read by the real bake', () => {
  test('gives its targets with variables, functions, inheritance, groups and matrices resolved', async () => {
    await using repository = await TemporaryRepository.create(FILES);
    const environment = { ...engine.environment, GITHUB_TOKEN: 'ghs_secret' };
    const { rows, log } = await runPlan(repository, { environment });
    expect(rows.map(({ id, wave, needs }) => [id, wave, needs])).toEqual([
      ['base-linux-amd64', 0, []],
      ['base-linux-arm64', 0, []],
      ['tool-linux-amd64', 0, []],
      ['worker-cpu-linux-amd64', 0, []],
      ['worker-gpu-linux-amd64', 0, []],
      ['api-linux-amd64', 1, ['base-linux-amd64']],
      ['api-linux-arm64', 1, ['base-linux-arm64']],
    ]);
    const api = rows.at(-1);
    expect(api?.args).toEqual({ PYTHON: '3.12', TOKEN: 'none', LITERAL: '${HOME}' });
    expect(api?.contexts).toEqual({ parent: 'row:base-linux-arm64' });
    expect(rows.find(({ image }) => image === 'tool')?.build).toEqual({
      'dockerfile-inline': 'FROM scratch\nCOPY tool /\n',
    });
    expect(log).toContain('"cache-to" of tool is not part of its rows');
    expect(JSON.stringify(rows)).not.toContain('ghs_secret');
  });

  test('builds the targets that a change touches, its own changes included', async () => {
    await using repository = await TemporaryRepository.create(FILES);
    expect(await changed(repository, { 'worker/g': '2' })).toEqual(['worker-gpu-linux-amd64']);
    expect(await changed(repository, { tool: '2' })).toEqual(['tool-linux-amd64']);
    expect(await changed(repository, { 'shared/lib': '2' })).toEqual([
      'base-linux-amd64',
      'base-linux-arm64',
      'api-linux-amd64',
      'api-linux-arm64',
    ]);
    const bake = String(FILES['docker-bake.hcl']);
    expect(await changed(repository, { 'docker-bake.hcl': bake.replace('3.12', '3.13') })).toContain('api-linux-amd64');
    expect(await changed(repository, { 'docker-bake.hcl': `# no more\n${bake.replace('3.12', '3.13')}` })).toEqual([]);
  });

  test('without a default group is built whole; a mistake is told at its line', async () => {
    await using repository = await TemporaryRepository.create({
      'docker-bake.hcl': 'target "one" {\n}\ntarget "two" {\n  context = "api"\n}\n',
      Dockerfile: 'FROM scratch\n',
      'api/Dockerfile': 'FROM scratch\n',
    });
    const { rows } = await runPlan(repository, engine);
    expect(rows.map(({ image }) => image)).toEqual(['one', 'two']);
    await repository.commit({ 'docker-bake.hcl': 'target "one" {\n  context = \n}\n' });
    await expect(runPlan(repository, engine)).rejects.toMatchObject({
      name: 'ConfigurationError',
      place: { file: 'docker-bake.hcl', line: 2 },
    });
  });

  test('may be a compose file', async () => {
    await using repository = await TemporaryRepository.create({
      'compose.yml': 'services:\n  a: { build: { context: ./a, args: { A: "${A:-1}" } } }\n',
      'a/Dockerfile': 'FROM scratch\n',
    });
    const before = await repository.id('HEAD');
    const inputs = { source: 'bake', files: 'compose.yml' };
    const { rows } = await runPlan(repository, { ...engine, inputs });
    expect(rows.map(({ image, context, args }) => [image, context, args])).toEqual([['a', 'a', { A: '1' }]]);
    expect((await runPush(repository, before)).reasons).toEqual({});
  });
});
