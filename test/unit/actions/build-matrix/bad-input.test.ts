import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../core/git/temporary-repository.ts';
import { runPlan } from './plan-step.ts';

async function plan(files: Files, inputs: Record<string, string> = {}) {
  await using repository = await TemporaryRepository.create(files);
  return await runPlan(repository, { inputs });
}

const D = 'FROM scratch\n';
const LAUGHS = [
  'x-0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]',
  ...Array.from({ length: 30 }, (_, level) => `x-${level + 1}: &l${level + 1} [${`*l${level}, `.repeat(9)}*l${level}]`),
].join('\n');

describe('definitions that cannot be read are one clear error', () => {
  it.each<[string, Files, Record<string, string>, RegExp]>([
    [
      'images.yml with aliases that grow without end',
      { '.github/images.yml': `${LAUGHS}\nimages: { a: {} }\n` },
      {},
      /"\.github\/images\.yml" cannot be read: Excessive alias count/,
    ],
    [
      'a compose file with aliases that grow without end',
      { 'compose.yml': `${LAUGHS}\nservices: { a: { build: . } }\n`, Dockerfile: D },
      {},
      /"compose\.yml" cannot be read: Excessive alias count/,
    ],
    [
      'a compose file of more than 1 MiB',
      { 'compose.yml': `# ${'x'.repeat(1_100_000)}\n`, Dockerfile: D },
      {},
      /larger than 1 MiB/,
    ],
    [
      'compose files that include each other',
      { 'compose.yml': 'include: [b.yml]\n', 'b.yml': 'include: [compose.yml]\n' },
      {},
      /included 16 levels deep/,
    ],
    [
      'a compose file that includes what is outside',
      { 'compose.yml': 'include: [../../etc/passwd]\n' },
      {},
      /"\.\.\/\.\.\/etc\/passwd" is no path inside the repository/,
    ],
    [
      'images that need each other',
      { '.github/images.yml': 'images: { a: { needs: [b] }, b: { needs: [a] } }\n', Dockerfile: D },
      {},
      /in a circle: a-linux-amd64, b-linux-amd64/,
    ],
    [
      'an image that needs itself',
      { '.github/images.yml': 'images: { a: { needs: [a] } }\n', Dockerfile: D },
      {},
      /in a circle: a-linux-amd64/,
    ],
    [
      'a Dockerfile of 0 bytes',
      { '.github/images.yml': 'images: { a: {} }\n', Dockerfile: '' },
      {},
      /"Dockerfile" is empty/,
    ],
    [
      'a Dockerfile of 10 MB',
      { '.github/images.yml': 'images: { a: {} }\n', Dockerfile: `${D}${'RUN true\n'.repeat(1_200_000)}` },
      {},
      /"Dockerfile" is larger than 1048576 bytes/,
    ],
    [
      'a config that is a link',
      { '.github/images.yml': { link: '/etc/passwd' }, Dockerfile: D },
      { config: '.github/images.yml' },
      /no file "\.github\/images\.yml" in this commit/,
    ],
    [
      'a Dockerfile that is a link',
      { '.github/images.yml': 'images: { a: {} }\n', Dockerfile: { link: '/etc/passwd' } },
      {},
      /"Dockerfile", is not in this commit/,
    ],
    [
      'a project directory outside',
      { 'compose.yml': 'services: { a: { build: . } }\n' },
      { 'project-directory': '../x' },
      /"\.\.\/x" is no path inside/,
    ],
    ['no image at all', { 'README.md': 'x' }, {}, /no image was found/],
    ['platforms that are none', { Dockerfile: D }, { platforms: 'amd64' }, /"platforms" holds "amd64"/],
  ])('%s', async (_, files, inputs, message) => {
    const start = performance.now();
    await expect(plan(files, inputs)).rejects.toThrow(message);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('one image that is wrong does not stop the others', () => {
  it.each<[string, Files, RegExp]>([
    ['an empty Dockerfile', { 'b/Dockerfile': '' }, /file=b\/Dockerfile,line=1::"b\/Dockerfile" is empty/],
    ['one of 10 MB', { 'b/Dockerfile': `${D}${'# x\n'.repeat(2_600_000)}` }, /"b\/Dockerfile" is larger than/],
    ['bytes that are no text', { 'b/Dockerfile': '\u0000\u0001FROM\u0000' }, /has no FROM/],
    ['a heredoc without an end', { 'b/Dockerfile': 'FROM a\nRUN <<EOF\n' }, /line=2::the heredoc "EOF" has no end/],
    [
      'a COPY that leaves the context',
      { 'b/Dockerfile': 'FROM a\nCOPY ../../secret /\n', 'b/f': '' },
      /line=2::no folder can be the context: "secret"/,
    ],
  ])('%s', async (_, files, message) => {
    const { rows, log } = await plan({ 'a/Dockerfile': D, 'a/f': '', ...files });
    expect(rows.map(({ image }) => image)).toEqual(['a']);
    expect(log).toMatch(message);
  });

  it('a service of a hostile compose file', async () => {
    const compose = `services:
  good: { build: ./a }
  loop: { extends: { service: pool } }
  pool: { extends: { service: loop } }
  outside: { build: ../.. }
  home: { build: "~/x" }
  remote: { build: "https://evil.example/x.git" }
  numbers: { build: { context: [1, 2] } }
  prototype: { build: { context: a, args: { __proto__: x, constructor: y } } }
`;
    const { rows, log } = await plan({ 'compose.yml': compose, 'a/Dockerfile': D });
    expect(rows.map(({ image, args }) => [image, JSON.stringify(args)])).toEqual([
      ['good', '{}'],
      ['prototype', '{"__proto__":"x","constructor":"y"}'],
    ]);
    for (const name of ['loop', 'pool', 'outside', 'home', 'remote', 'numbers'])
      expect(log).toMatch(new RegExp(`\\b${name}\\b`));
    expect(Object.prototype).not.toHaveProperty('x');
  });
});

describe('very many rows', () => {
  const many = (count: number): Files => ({
    Dockerfile: D,
    '.github/images.yml': `images:\n${Array.from({ length: count }, (_, index) => `  image-${index}: {}\n`).join('')}`,
  });

  it('5,000 are refused as one matrix, with all outputs valid', async () => {
    const start = performance.now();
    await expect(plan(many(5000))).rejects.toMatchObject({
      name: 'ActionFailure',
      message: expect.stringMatching(
        /^5000 rows are more than GitHub runs in one matrix \(256\): build from the output "shards"/,
      ),
      result: { outputs: { count: 5000, shardCount: 20, matrix: { include: { length: 5000 } } } },
    });
    expect(performance.now() - start).toBeLessThan(8000);
  });

  it('are no error where a workflow takes them in shards', async () => {
    const workflow = 'jobs: { plan: { outputs: { shards: "${{ steps.plan.outputs.shards }}" } } }\n';
    const { outputs } = await plan({ ...many(600), '.github/workflows/release.yml': workflow });
    expect(outputs['shards']).toMatchObject([
      { include: { length: 256 } },
      { include: { length: 256 } },
      { include: { length: 88 } },
    ]);
  });

  it('500 stay under the 1 MB that GitHub keeps of a job, as it counts', async () => {
    const services = Array.from(
      { length: 500 },
      (_, index) =>
        `  service-${index}:\n    context: services/team/service-${index}\n    target: production\n    args: { PYTHON_VERSION: "3.12", BUILD_TYPE: release }\n`,
    );
    const { outputs, log } = await plan({
      '.github/images.yml': `images:\n${services.join('')}`,
      ...Object.fromEntries(
        Array.from({ length: 500 }, (_, index) => [
          `services/team/service-${index}/Dockerfile`,
          'FROM python:3.12-slim AS production\n',
        ]),
      ),
      '.github/workflows/w.yml': '# outputs.shards\n',
    });
    expect(outputs['count']).toBe(500);
    expect(JSON.stringify(outputs['matrix']).length * 2).toBeLessThan(1_000_000);
    expect(log).not.toContain('drops');
  });
});
