import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { jobNamed, oneJob, runOneWorkflow } from './run-one-workflow.ts';

describe('steps', () => {
  it('hand outputs, variables and PATH on', async () => {
    const { jobs } = await runOneWorkflow(
      oneJob(`
- id: one
  run: |
    echo "a=1" >> "$GITHUB_OUTPUT"
    echo "V=from env" >> "$GITHUB_ENV"
    mkdir -p tools && printf '#!/bin/sh\\necho tool\\n' > tools/mytool && chmod +x tools/mytool
    echo "$PWD/tools" >> "$GITHUB_PATH"
- run: echo "\${{ steps.one.outputs.a }} $V \${{ env.V }} $(mytool) \${{ steps.one.outcome }}"
`),
    );
    expect(jobs[0]?.steps[1]?.log).toBe('1 from env from env tool success');
  });

  it('layer variables of workflow, job and step', async () => {
    const workflow = `env: { A: workflow, B: workflow, C: workflow }\n${oneJob(
      `
- run: echo "$A $B $C \${{ env.B }}"
  env: { C: step }
- run: echo "B=later" >> $GITHUB_ENV
- run: echo "$B $CI $GITHUB_JOB"
`,
      '    env: { B: "job after ${{ env.B }}" }\n',
    )}`;
    const { jobs } = await runOneWorkflow(workflow);
    expect(jobs[0]?.steps.map((step) => step.log)).toEqual([
      'workflow job after workflow step job after workflow',
      '',
      'later true only',
    ]);
  });

  it('stop after a failure, apart from those that ask for it', async () => {
    const { jobs, conclusion } = await runOneWorkflow(
      oneJob(`
- run: exit 3
- run: echo no
- if: failure()
  run: echo failed
- if: always()
  run: echo always
- if: success()
  run: echo no
`),
    );
    expect(conclusion).toBe('failure');
    expect(jobs[0]?.steps.map((step) => step.outcome)).toEqual(['failure', 'skipped', 'success', 'success', 'skipped']);
    expect(jobs[0]?.annotations).toEqual([{ level: 'error', message: 'Process completed with exit code 3.' }]);
  });

  it('go on after a failure that is allowed', async () => {
    const { jobs, conclusion } = await runOneWorkflow(
      oneJob(`
- id: bad
  run: exit 1
  continue-on-error: true
- run: echo "\${{ steps.bad.outcome }} \${{ steps.bad.conclusion }}"
`),
    );
    expect([conclusion, jobs[0]?.steps[1]?.log]).toEqual(['success', 'failure success']);
  });

  it.each([
    ['no shell, without pipefail', '', 'false | true; echo on', 'on', 'success'],
    ['bash, with pipefail', 'bash', 'false | true; echo on', '##[error]Process completed with exit code 1.', 'failure'],
    ['sh', 'sh', 'echo "$0" | grep -c sh', '1', 'success'],
    ['python', 'python', 'print("py")', 'py', 'success'],
    ['a shell of its own', 'env X=1 bash {0}', 'echo $X', '1', 'success'],
  ])('run with %s', async (_, shell, script, log, outcome) => {
    const { jobs } = await runOneWorkflow(oneJob(`- run: '${script}'\n${shell === '' ? '' : `  shell: ${shell}\n`}`));
    expect(jobs[0]?.steps[0]).toMatchObject({ log, outcome });
  });

  it('take shell and working directory from defaults', async () => {
    const workflow = `defaults: { run: { shell: bash } }\n${oneJob('- run: "pwd; false | true"\n  continue-on-error: true\n- run: pwd\n  working-directory: /', '    defaults: { run: { working-directory: /usr } }\n')}`;
    const { jobs } = await runOneWorkflow(workflow);
    expect(jobs[0]?.steps.map((step) => [step.outcome, step.log.split('\n')[0]])).toEqual([
      ['failure', '/usr'],
      ['success', '/'],
    ]);
  });

  it('end when they take too long', async () => {
    const { jobs } = await runOneWorkflow(oneJob('- run: exec sleep 30\n  timeout-minutes: 0.005\n- run: echo no'));
    expect(jobs[0]?.steps.map((step) => step.outcome)).toEqual(['failure', 'skipped']);
  });

  it('hash files', async () => {
    const { jobs } = await runOneWorkflow(
      oneJob(
        "- uses: actions/checkout@v5\n- run: echo \"${{ hashFiles('**/*.lock') }},${{ hashFiles('none') }},\"\n- if: hashFiles('a.lock') != ''\n  run: echo found",
      ),
      {},
      { 'a.lock': 'A', 'deep/b.lock': 'B', 'c.txt': 'C' },
    );
    const digest = (text: string) => createHash('sha256').update(text).digest();
    const expected = createHash('sha256').update(digest('A')).update(digest('B')).digest('hex');
    expect(jobs[0]?.steps.slice(1).map((step) => step.log)).toEqual([`${expected},,`, 'found']);
  });

  it('fail on an expression that does not evaluate, and name it', async () => {
    const { jobs } = await runOneWorkflow(oneJob('- run: echo ${{ nothing.here }}'));
    expect(jobs[0]).toMatchObject({
      result: 'failure',
      annotations: [{ message: expect.stringContaining('nothing.here') }],
    });
  });

  it('have no secrets in conditions', async () => {
    const { jobs } = await runOneWorkflow(oneJob("- if: secrets.A != ''\n  run: echo"), { secrets: { A: 'x' } });
    expect(jobs[0]?.steps[0]).toMatchObject({
      outcome: 'failure',
      annotations: [{ message: expect.stringContaining("'secrets'") }],
    });
  });
});

describe('secrets', () => {
  it('are hidden everywhere and not handed on in outputs', async () => {
    const workflow = `jobs:
  one:
    runs-on: x
    outputs: { leak: "\${{ steps.s.outputs.leak }}", fine: "\${{ steps.s.outputs.fine }}" }
    steps:
      - id: s
        run: |
          echo "key is $KEY, token is \${{ github.token }}"
          echo "leak=x$KEY" >> $GITHUB_OUTPUT; echo fine=1 >> $GITHUB_OUTPUT
          echo "# $KEY" >> $GITHUB_STEP_SUMMARY
          [ '\${{ github.token }}' = '\${{ secrets.GITHUB_TOKEN }}' ] && [ -z "$GITHUB_TOKEN" ]
        env: { KEY: "\${{ secrets.KEY }}" }
`;
    const result = await runOneWorkflow(workflow, { secrets: { KEY: 'k3y-value' } });
    expect(result.conclusion).toBe('success');
    expect(result.jobs[0]).toMatchObject({
      outputs: { fine: '1' },
      summary: '# ***\n',
      annotations: [{ level: 'warning', message: "Skip output 'leak' since it may contain secret." }],
    });
    expect(result.jobs[0]?.steps[0]?.log).toBe('key is ***, token is ***');
    expect(JSON.stringify({ ...result, jobs: result.jobs.map((job) => ({ ...job, steps: [] })) })).not.toContain(
      'k3y-value',
    );
  });
});

it('reports progress', async () => {
  const seen: string[] = [];
  const result = await runOneWorkflow(oneJob('- run: echo line'), {
    onProgress: (progress) => seen.push(progress.kind),
  });
  expect(seen).toEqual(['job-start', 'step-start', 'line', 'step-end', 'job-end']);
  expect(jobNamed(result, 'only').result).toBe('success');
});
