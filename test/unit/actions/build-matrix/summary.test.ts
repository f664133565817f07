import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../core/git/temporary-repository.ts';
import { runPlan, runPush } from './plan-step.ts';

const IMAGES: Files = {
  'compose.yml': `services:
  base: { build: base }
  api: { build: { context: api, additional_contexts: { base: "service:base" } } }
  web: { build: web }
`,
  'base/Dockerfile': 'FROM scratch\nCOPY f /\n',
  'base/f': '1',
  'api/Dockerfile': 'FROM base\nCOPY f /\n',
  'api/f': '1',
  'web/Dockerfile': 'FROM scratch\nCOPY f /\n',
  'web/f': '1',
};

describe('the summary of build-matrix', () => {
  it('says once what all rows have alike', async () => {
    await using repository = await TemporaryRepository.create(IMAGES);
    const { summary } = await runPlan(repository);
    expect(summary).toMatch(
      /^## Build matrix: 3 of 3 rows to build\n\nBuilt without comparison: .+\. For <code>linux\/amd64<\/code> on <code>ubuntu-24\.04<\/code>\. /,
    );
    expect(summary).toContain('| Image | Wave |\n| --- | ---: |\n');
  });

  it('gives each row its reason where they differ, and those that are not built one for all', async () => {
    await using repository = await TemporaryRepository.create(IMAGES);
    const before = await repository.id('HEAD');
    await repository.commit({ 'web/f': '2' });
    const { summary } = await runPush(repository, before);
    expect(summary).toContain('| Image | Why |\n| --- | --- |\n| <code>web</code> | web/f changed |');
    expect(summary).toContain('<summary>2 rows not to build, and why</summary>');
    expect(summary).toMatch(
      /\| nothing it reads .* \| <code>base-linux-amd64<\/code>, <code>api-linux-amd64<\/code> \|/,
    );
    expect(summary).not.toContain('mermaid');
  });

  it('draws a parent that is not built this time with a dashed frame', async () => {
    await using repository = await TemporaryRepository.create(IMAGES);
    const { summary } = await runPlan(repository, { inputs: { include: 'api' } });
    expect(summary).toContain(
      'graph LR\n  n0["api"]\n  n1["base"]:::kept\n  n1 --> n0\n  classDef kept stroke-dasharray: 4\n',
    );
  });
});
