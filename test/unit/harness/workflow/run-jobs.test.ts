import { describe, expect, it } from 'vitest';
import { jobNamed, oneJob, runOneWorkflow } from './run-one-workflow.ts';

const results = (result: Awaited<ReturnType<typeof runOneWorkflow>>) =>
  Object.fromEntries(Object.entries(result.needs).map(([id, { result }]) => [id, result]));

describe('jobs', () => {
  it('hand outputs to those that need them, matrices included', async () => {
    const result = await runOneWorkflow(`jobs:
  plan:
    runs-on: x
    outputs: { matrix: "\${{ steps.p.outputs.matrix }}", has-rows: "\${{ steps.p.outputs.has }}" }
    steps:
      - id: p
        run: |
          echo 'matrix={"include":[{"image":"api","gpu":false,"runner":"r1"},{"image":"web","gpu":true,"runner":"r2"}]}' >> $GITHUB_OUTPUT
          echo has=true >> $GITHUB_OUTPUT
  build:
    needs: plan
    if: needs.plan.outputs.has-rows == 'true'
    strategy: { fail-fast: false, matrix: "\${{ fromJSON(needs.plan.outputs.matrix) }}" }
    runs-on: \${{ matrix.runner }}
    outputs: { api: "\${{ steps.b.outputs.api }}", web: "\${{ steps.b.outputs.web }}" }
    steps:
      - id: b
        run: echo "\${{ matrix.image }}=\${{ strategy.job-index }}/\${{ strategy.job-total }}" >> $GITHUB_OUTPUT
      - { if: matrix.gpu, run: echo gpu }
      - run: echo "$ROW"
        env: { ROW: "\${{ toJSON(matrix) }}" }
  publish:
    needs: [plan, build]
    runs-on: x
    steps: [{ run: 'echo "\${{ needs.build.outputs.api }} \${{ needs.build.outputs.web }} \${{ needs.build.result }}"' }]
`);
    expect(result.conclusion).toBe('success');
    expect(result.jobs.map((job) => job.name)).toEqual([
      'plan',
      'build (api, false, r1)',
      'build (web, true, r2)',
      'publish',
    ]);
    expect(jobNamed(result, 'build (api, false, r1)')).toMatchObject({ runsOn: 'r1', matrix: { image: 'api' } });
    expect(jobNamed(result, 'build (web, true, r2)').steps.map((step) => step.outcome)).toEqual([
      'success',
      'success',
      'success',
    ]);
    expect(jobNamed(result, 'build (api, false, r1)').steps[1]?.outcome).toBe('skipped');
    expect(JSON.parse(jobNamed(result, 'build (api, false, r1)').steps[2]?.log ?? '')).toEqual({
      image: 'api',
      gpu: false,
      runner: 'r1',
    });
    expect(jobNamed(result, 'publish').steps[0]?.log).toBe('0/2 1/2 success');
  });

  const graph = (condition: string) => `jobs:
  bad: { runs-on: x, steps: [{ run: exit 1 }] }
  skipped: { runs-on: x, needs: bad, steps: [{ run: echo }] }
  far: { runs-on: x, needs: skipped, if: "${condition}", steps: [{ run: 'echo "\${{ needs.skipped.result }}"' }] }
`;
  it.each([
    ['success()', 'skipped'],
    ["needs.skipped.result == 'skipped'", 'skipped'],
    ["!cancelled() && needs.skipped.result == 'skipped'", 'success'],
    ['always()', 'success'],
    ['failure()', 'success'],
  ])('with the condition %s after a failure far above end in %s', async (condition, expected) => {
    expect(results(await runOneWorkflow(graph(condition)))).toEqual({
      bad: 'failure',
      skipped: 'skipped',
      far: expected,
    });
  });

  it('are skipped when an ancestor was skipped, even behind a job that ran', async () => {
    const workflow = `jobs:
  a: { runs-on: x, if: false, steps: [{ run: echo }] }
  b: { runs-on: x, needs: a, if: always(), steps: [{ run: echo }] }
  c: { runs-on: x, needs: b, steps: [{ run: echo }] }
`;
    expect(results(await runOneWorkflow(workflow))).toEqual({ a: 'skipped', b: 'success', c: 'skipped' });
  });

  it.each([
    ['an empty matrix', '\'{"include":[]}\'', 'at least one vector'],
    ['text that is no JSON', "'{'", 'Error parsing JSON'],
    ['an empty text', "''", 'empty input'],
  ])('fail on %s', async (_, json, message) => {
    const workflow = `jobs:\n  m: { runs-on: x, strategy: { matrix: "\${{ fromJSON(${json.replaceAll('"', '\\"')}) }}" }, steps: [{ run: echo }] }\n`;
    const result = await runOneWorkflow(workflow);
    expect([result.conclusion, result.jobs[0]?.reason]).toEqual(['failure', expect.stringContaining(message)]);
  });

  it('are not asked for their matrix when they are skipped', async () => {
    const workflow = `jobs:\n  m: { runs-on: x, if: "false", strategy: { matrix: { a: [] } }, steps: [{ run: echo }] }\n`;
    expect(results(await runOneWorkflow(workflow))).toEqual({ m: 'skipped' });
  });

  const rows = (strategy: string) => `jobs:
  m:
    runs-on: x
    strategy: { ${strategy} matrix: { n: [1, 2, 3] } }
    steps: [{ run: 'exit \${{ matrix.n == 2 && 1 || 0 }}' }]
`;
  it.each([
    ['', ['success', 'failure', 'cancelled']],
    ['fail-fast: false,', ['success', 'failure', 'success']],
  ])('of a matrix with "%s" end in %j', async (strategy, expected) => {
    const result = await runOneWorkflow(rows(strategy));
    expect([result.conclusion, result.jobs.map((job) => job.result)]).toEqual(['failure', expected]);
  });

  it('that run at the same time are cancelled by fail-fast, and their cleanup still runs', async () => {
    const workflow = `jobs:
  m:
    runs-on: x
    strategy: { matrix: { n: [1, 2] } }
    steps:
      - run: '[ \${{ matrix.n }} = 1 ] && sleep 0.3 && exit 1; exec sleep 20'
      - { if: always(), run: 'echo "\${{ job.status }}"' }
      - run: echo no
`;
    const result = await runOneWorkflow(workflow, { parallelJobs: 2 });
    expect(result.jobs.map((job) => [job.result, job.steps[1]?.log, job.steps[2]?.outcome])).toEqual([
      ['failure', 'failure', 'skipped'],
      ['cancelled', 'cancelled', 'skipped'],
    ]);
  });

  it('may fail when they are allowed to', async () => {
    const workflow = `jobs:
  m: { runs-on: x, continue-on-error: "\${{ matrix.n == 1 }}", strategy: { matrix: { n: [1, 2] } }, steps: [{ run: 'exit \${{ matrix.n == 1 && 1 || 0 }}' }] }
  after: { runs-on: x, needs: m, steps: [{ run: echo }] }
`;
    const result = await runOneWorkflow(workflow);
    expect(results(result)).toEqual({ m: 'success', after: 'success' });
    expect(result.jobs[0]?.result).toBe('failure');
  });

  it('run one at a time unless told', async () => {
    const workflow = `jobs:
  a: { runs-on: x, steps: [{ run: sleep 0.2 }] }
  b: { runs-on: x, steps: [{ run: sleep 0.2 }] }
`;
    const order = async (parallelJobs: number) => {
      const seen: string[] = [];
      await runOneWorkflow(workflow, {
        parallelJobs,
        onProgress: ({ kind, job }) => (kind.startsWith('job') ? seen.push(`${kind} ${job}`) : 0),
      });
      return seen;
    };
    expect(await order(1)).toEqual(['job-start a', 'job-end a', 'job-start b', 'job-end b']);
    expect((await order(2)).slice(0, 2)).toEqual(['job-start a', 'job-start b']);
  });

  it('each have a workspace and a home of their own', async () => {
    const step = '[{ run: \'ls "$GITHUB_WORKSPACE" "$HOME" | wc -w; touch mark ~/mark; basename "$PWD"\' }]';
    const result = await runOneWorkflow(
      `jobs:\n  a: { runs-on: x, steps: ${step} }\n  b: { runs-on: x, steps: ${step} }\n`,
    );
    expect(result.jobs.map((job) => job.steps[0]?.log)).toEqual(['2\nr', '2\nr']);
  });

  it('fail when their outputs are larger than GitHub takes', async () => {
    const steps = '- { id: a, run: \'echo "v=$(head -c 300000 /dev/zero | tr "\\\\0" x)" >> $GITHUB_OUTPUT\' }';
    const outputs = '    outputs: { one: "${{ steps.a.outputs.v }}", two: "${{ steps.a.outputs.v }}" }\n';
    const result = await runOneWorkflow(oneJob(steps, outputs));
    expect(result.jobs[0]).toMatchObject({
      result: 'failure',
      annotations: [{ message: expect.stringContaining('exceed the maximum') }],
    });
  });
});

describe('what a job is given', () => {
  it('is told per job, and identity tokens only with the permission', async () => {
    const workflow = `permissions: { contents: read }
concurrency: { group: "ci-\${{ github.ref }}", cancel-in-progress: true }
jobs:
  with: { runs-on: x, permissions: { id-token: write }, steps: [{ run: 'echo "$ACTIONS_ID_TOKEN_REQUEST_URL $GITHUB_API_URL \${{ github.api_url }} \${{ secrets.GITHUB_TOKEN == format(''tok-{0}'', github.job) }}"' }] }
  without: { runs-on: x, concurrency: deploy, steps: [{ run: 'echo "$ACTIONS_ID_TOKEN_REQUEST_URL,$GITHUB_TOKEN,"' }] }
`;
    const result = await runOneWorkflow(workflow, {
      runnerEnvironment: (job) => ({
        ACTIONS_ID_TOKEN_REQUEST_URL: 'http://id',
        GITHUB_API_URL: 'http://api',
        GITHUB_TOKEN: `tok-${job.id}`,
      }),
    });
    expect(result.jobs.map((job) => job.steps[0]?.log)).toEqual(['http://id http://api http://api true', ',,']);
    expect(result.jobs.map((job) => [job.permissions['contents'], job.permissions['id-token']])).toEqual([
      ['none', 'write'],
      ['read', 'none'],
    ]);
    expect([result.concurrency, result.jobs[1]?.concurrency]).toEqual([
      { group: 'ci-refs/heads/main', cancelInProgress: true },
      { group: 'deploy', cancelInProgress: false },
    ]);
  });

  it('is less for a pull request from a fork', async () => {
    const workflow = `on: [pull_request]\npermissions: { packages: write }\n${oneJob('- run: echo "${{ secrets.KEY }},${{ vars.V }}"')}`;
    const payload = { action: 'opened', pull_request: { head: { repo: { full_name: 'fork/r' } } } };
    const result = await runOneWorkflow(workflow, {
      event: { name: 'pull_request', ref: 'refs/pull/1/merge', payload },
      secrets: { KEY: 'k' },
      vars: { V: 'v' },
    });
    expect(result.jobs[0]).toMatchObject({ permissions: { packages: 'read' }, steps: [{ log: ',v' }] });
  });

  it('are the inputs of a manual run', async () => {
    const workflow = `on: { workflow_dispatch: { inputs: { dry: { type: boolean, default: true }, level: { type: choice, options: [a, b] }, n: { type: number, default: 2 } } } }
${oneJob('- run: echo ${{ inputs.dry && 1 || 2 }} ${{ inputs.level }} ${{ inputs.n + 0 == 2 }}').replace(' + 0', '')}`;
    const event = { name: 'workflow_dispatch' };
    expect((await runOneWorkflow(workflow, { event })).jobs[0]?.steps[0]?.log).toBe('1 a true');
    expect(
      (await runOneWorkflow(workflow, { event, inputs: { dry: 'false', level: 'b' } })).jobs[0]?.steps[0]?.log,
    ).toBe('2 b true');
    await expect(runOneWorkflow(workflow, { event, inputs: { level: 'c' } })).rejects.toThrow(
      "one of a, b expected, got 'c'",
    );
    await expect(runOneWorkflow(workflow, { event, inputs: { other: 1 } })).rejects.toThrow('other is not defined');
  });
});

it('tells jobs which workflow they belong to', async () => {
  const result = await runOneWorkflow(
    `name: Release\n${oneJob('- run: echo "$GITHUB_WORKFLOW $GITHUB_WORKFLOW_REF"')}`,
  );
  expect(result.jobs[0]?.steps[0]?.log).toBe('Release o/r/.github/workflows/ci.yml@refs/heads/main');
});

it('does not run for an event the workflow does not listen to', async () => {
  const result = await runOneWorkflow(`on: { push: { branches: [dev] } }\n${oneJob('- run: echo')}`);
  expect(result).toMatchObject({
    isTriggered: false,
    reason: "branch 'main' is filtered out",
    jobs: [],
    conclusion: 'skipped',
  });
});

it('ends early when the run is cancelled, with cleanup', async () => {
  const controller = new AbortController();
  const workflow = `jobs:
  a: { runs-on: x, steps: [{ run: 'echo ready; exec sleep 20' }, { if: cancelled(), run: echo cleanup }] }
  b: { runs-on: x, needs: a, steps: [{ run: echo }] }
`;
  const result = await runOneWorkflow(workflow, {
    signal: controller.signal,
    onProgress: (progress) => (progress.kind === 'line' && progress.text === 'ready' ? controller.abort() : undefined),
  });
  expect(results(result)).toEqual({ a: 'cancelled', b: 'skipped' });
  expect(result.jobs[0]?.steps[1]?.log).toBe('cleanup');
});
