import { describe, expect, it } from 'vitest';
import { createRepository } from './git-repository.ts';
import { runOneWorkflow } from './run-one-workflow.ts';

const called = `on:
  workflow_call:
    inputs: { image: { type: string, required: true }, push: { type: boolean, default: false } }
    secrets: { KEY: { required: true } }
    outputs: { digest: { value: "\${{ jobs.build.outputs.digest }}" } }
jobs:
  build:
    runs-on: x
    outputs: { digest: "\${{ steps.b.outputs.digest }}" }
    steps:
      - { id: b, run: 'echo "digest=sha-\${{ inputs.image }}-\${{ inputs.push }}" >> $GITHUB_OUTPUT; [ "\${{ secrets.KEY }}" = k-value ]' }
`;
const files = { '.github/workflows/build.yml': called };
const caller = (job: string) => `permissions: { contents: read }
jobs:
  call:
    uses: ./.github/workflows/build.yml
    ${job}
  after: { needs: call, runs-on: x, steps: [{ run: 'echo "\${{ needs.call.outputs.digest }}"' }] }
`;
const secrets = { KEY: 'k-value' };

describe('a job that calls a workflow', () => {
  it.each([
    ['secrets by name', 'secrets: { KEY: "${{ secrets.KEY }}" }'],
    ['all secrets', 'secrets: inherit'],
  ])('hands inputs and %s over, and outputs back', async (_, passed) => {
    const result = await runOneWorkflow(caller(`with: { image: api, push: true }\n    ${passed}`), { secrets }, files);
    expect(result.conclusion).toBe('success');
    expect(result.jobs.map((job) => [job.id, job.name])).toEqual([
      ['call/build', 'call / build'],
      ['after', 'after'],
    ]);
    expect(result.jobs[1]?.steps[0]?.log).toBe('sha-api-true');
  });

  it('runs once for each row of its matrix', async () => {
    const result = await runOneWorkflow(
      caller(
        'strategy: { matrix: { image: [a, b] } }\n    with: { image: "${{ matrix.image }}" }\n    secrets: inherit',
      ),
      { secrets },
      files,
    );
    expect(result.jobs.map((job) => job.outputs['digest'])).toEqual(['sha-a-false', 'sha-b-false', undefined]);
  });

  it('comes from a mapped repository, which then means its own files', async () => {
    await using other = await createRepository();
    const inner = called.replace(
      /jobs:[\s\S]*/,
      'jobs: { build: { uses: ./.github/workflows/inner.yml, with: { image: "${{ inputs.image }}" }, secrets: inherit } }\n',
    );
    await other.commit({ '.github/workflows/outer.yml': inner, '.github/workflows/inner.yml': called });
    const workflow = caller('with: { image: x }\n    secrets: inherit').replace(
      './.github/workflows/build.yml',
      'OWNER/slipway/.github/workflows/outer.yml@v1',
    );
    const result = await runOneWorkflow(workflow, { secrets, repositories: { 'OWNER/slipway': other.folder } });
    expect([result.conclusion, result.jobs[0]?.id, result.jobs[1]?.steps[0]?.log]).toEqual([
      'success',
      'call/build/build',
      'sha-x-false',
    ]);
  });

  it.each([
    ['a missing input', 'secrets: inherit', {}, 'Input image is required'],
    ['an unknown input', 'with: { image: a, other: 1 }\n    secrets: inherit', {}, 'other is not defined'],
    [
      'an input of the wrong type',
      'with: { image: a, push: maybe }\n    secrets: inherit',
      {},
      "a boolean expected, got 'maybe'",
    ],
    ['a missing secret', 'with: { image: a }', {}, 'Secret KEY is required'],
    ['an unknown secret', 'with: { image: a }\n    secrets: { KEY: a, OTHER: b }', {}, 'OTHER is not defined'],
    [
      'a workflow that cannot be called',
      'with: { image: a }',
      { '.github/workflows/build.yml': called.replace('workflow_call', 'workflow_dispatch') },
      "no 'workflow_call' trigger",
    ],
    [
      'a workflow that wants more than it may',
      'with: { image: a }\n    secrets: inherit',
      { '.github/workflows/build.yml': `permissions: { packages: write }\n${called}` },
      "requesting 'packages: write'",
    ],
    [
      'a workflow that calls itself',
      'with: { image: a }\n    secrets: inherit',
      {
        '.github/workflows/build.yml': called.replace(
          /jobs:[\s\S]*/,
          'jobs: { build: { uses: ./.github/workflows/build.yml, with: { image: a }, secrets: inherit } }\n',
        ),
      },
      'deeper than 10 levels',
    ],
  ])('is refused with %s', async (_, job, changed, message) => {
    await expect(runOneWorkflow(caller(job), { secrets }, { ...files, ...changed })).rejects.toThrow(message);
  });

  it('fails when a job of it fails', async () => {
    const result = await runOneWorkflow(caller('with: { image: a }\n    secrets: { KEY: wrong }'), { secrets }, files);
    expect([result.needs['call']?.result, result.needs['after']?.result]).toEqual(['failure', 'skipped']);
  });
});
