import { describe, expect, it } from 'vitest';
import { createRepository } from './git-repository.ts';
import { oneJob, runOneWorkflow } from './run-one-workflow.ts';

const javascriptAction = (using = 'node24') => `name: js
inputs: { who: { default: world }, token: { default: "\${{ github.token }}" } }
runs: { using: ${using}, main: main.cjs, post: post.cjs }
`;
const greeting = `const fs = require('node:fs'); const put = (file, text) => fs.appendFileSync(process.env['GITHUB_' + file], text + '\\n');
console.log('hello ' + process.env.INPUT_WHO); put('OUTPUT', 'said=' + process.env.INPUT_WHO); put('STATE', 'who=' + process.env.INPUT_WHO);
put('ENV', 'FROM_ACTION=yes');`;
const action = {
  'greet/action.yml': javascriptAction(),
  'greet/main.cjs': greeting,
  'greet/post.cjs': "console.log('bye ' + process.env.STATE_who)",
};

describe('actions', () => {
  it('run from the checkout, with their post step at the end', async () => {
    const { jobs, conclusion } = await runOneWorkflow(
      oneJob(`
- uses: actions/checkout@v5
- { id: greet, uses: ./greet, with: { who: "\${{ github.actor }}" } }
- { name: Second, uses: ./greet }
- run: echo "\${{ steps.greet.outputs.said }} $FROM_ACTION"; exit 1
`),
      {},
      action,
    );
    expect(conclusion).toBe('failure');
    expect(jobs[0]?.steps.slice(1).map((step) => [step.name, step.stage, step.log.split('\n')[0]])).toEqual([
      ['Run ./greet', 'main', 'hello octocat'],
      ['Second', 'main', 'hello world'],
      [expect.stringContaining('Run echo'), 'main', 'octocat yes'],
      ['Post Second', 'post', 'bye world'],
      ['Post Run ./greet', 'post', 'bye octocat'],
    ]);
  });

  it('are looked for only when their step comes', async () => {
    const { jobs } = await runOneWorkflow(oneJob('- uses: ./greet'), {}, action);
    expect(jobs[0]?.annotations).toMatchObject([
      { message: expect.stringContaining('Did you forget to run actions/checkout') },
    ]);
  });

  it('of other repositories come from mapped folders, with their pre step first', async () => {
    await using other = await createRepository();
    const pre = "require('node:fs').appendFileSync(process.env.GITHUB_STATE, 'who=pre\\n'); console.log('pre')";
    await other.commit({
      'actions/greet/action.yml': javascriptAction().replace('main:', 'pre: pre.cjs, main:'),
      'actions/greet/pre.cjs': pre,
      'actions/greet/main.cjs':
        'console.log(process.env.STATE_who, process.env.GITHUB_ACTION_REPOSITORY, process.env.GITHUB_ACTION_REF)',
      'actions/greet/post.cjs': '',
    });
    const { jobs } = await runOneWorkflow(oneJob('- run: echo first\n- uses: OWNER/slipway/actions/greet@v1'), {
      repositories: { 'owner/slipway': other.folder },
    });
    expect(jobs[0]?.steps.map((step) => [step.stage, step.log])).toEqual([
      ['pre', 'pre'],
      ['main', 'first'],
      ['main', 'pre OWNER/slipway v1'],
      ['post', ''],
    ]);
  });

  it.each(['docker/login-action@v3', 'docker://alpine:3', 'o/r/sub/x@v1'])(
    'nobody knows are refused before anything runs: %s',
    async (uses) => {
      await expect(runOneWorkflow(oneJob(`- run: echo\n- uses: ${uses}`))).rejects.toThrow(uses);
    },
  );

  it('of somebody else may have a stand-in', async () => {
    const seen: unknown[] = [];
    const { jobs, conclusion } = await runOneWorkflow(
      oneJob(
        '- { id: b, uses: docker/setup-buildx-action@v3, with: { driver: docker, on: true } }\n- run: echo ${{ steps.b.outputs.name }} $SET',
      ),
      {
        builtins: {
          'docker/setup-buildx-action': async ({ inputs, ref, print }) => {
            seen.push(inputs, ref);
            print('::notice::ready');
            return { outputs: { name: 'builder' }, env: { SET: '1' }, post: async () => void seen.push('post') };
          },
        },
      },
    );
    expect([conclusion, jobs[0]?.steps[1]?.log]).toEqual(['success', 'builder 1']);
    expect(seen).toEqual([{ driver: 'docker', on: 'true' }, 'v3', 'post']);
    expect(jobs[0]?.annotations).toEqual([{ level: 'notice', message: 'ready' }]);
  });

  it('fail when their stand-in throws', async () => {
    const builtins = { 'a/b': () => Promise.reject(new Error('broken')) };
    expect((await runOneWorkflow(oneJob('- uses: a/b@v1'), { builtins })).jobs[0]?.annotations).toEqual([
      { level: 'error', message: 'broken' },
    ]);
  });

  it('end when they take too long, stand-ins too', async () => {
    const builtins = { 'a/slow': () => new Promise<never>(() => undefined) };
    const { jobs } = await runOneWorkflow(oneJob('- { uses: a/slow@v1, timeout-minutes: 0.002 }\n- run: echo no'), {
      builtins,
    });
    expect(jobs[0]?.steps.map((step) => step.outcome)).toEqual(['failure', 'skipped']);
  });

  it('get the cache token, which scripts do not', async () => {
    const print = 'console.log(process.env.ACTIONS_RUNTIME_TOKEN, process.env.DOCKER_HOST)';
    const { jobs } = await runOneWorkflow(
      oneJob('- uses: actions/checkout@v5\n- uses: ./greet\n- run: echo "$ACTIONS_RUNTIME_TOKEN,$DOCKER_HOST"'),
      { env: { ACTIONS_RUNTIME_TOKEN: 'jwt', DOCKER_HOST: 'unix:///d' } },
      { ...action, 'greet/main.cjs': print },
    );
    expect(jobs[0]?.steps.slice(1, 3).map((step) => step.log)).toEqual(['jwt unix:///d', ',unix:///d']);
  });
});

describe('composite actions', () => {
  const composite = `name: c
inputs: { who: { default: nobody } }
outputs: { said: { value: "\${{ steps.in.outputs.said }}-\${{ inputs.who }}" } }
runs:
  using: composite
  steps:
    - { id: in, uses: ./greet, with: { who: "\${{ inputs.who }}" } }
    - { shell: bash, run: 'echo "$OUTER $(basename "$GITHUB_ACTION_PATH") $(basename "\${{ github.action_path }}")"' }
    - { shell: bash, if: "inputs.who == 'bad'", run: exit 4 }
    - { shell: bash, if: failure(), run: echo cleaning }
`;
  const files = { ...action, 'comp/action.yml': composite };

  it('run their steps with their own inputs and outputs', async () => {
    const { jobs } = await runOneWorkflow(
      oneJob(
        '- uses: actions/checkout@v5\n- { id: c, uses: ./comp, with: { who: me }, env: { OUTER: o } }\n- run: echo ${{ steps.c.outputs.said }}${{ steps.in.outputs.said }}',
      ),
      {},
      files,
    );
    expect(jobs[0]?.steps.slice(1).map((step) => step.log)).toEqual(['hello me\no comp comp', 'me-me', 'bye me']);
  });

  it('fail with their steps', async () => {
    const { jobs } = await runOneWorkflow(
      oneJob('- uses: actions/checkout@v5\n- { uses: ./comp, with: { who: bad } }\n- run: echo no'),
      {},
      files,
    );
    expect(jobs[0]?.steps.map((step) => step.outcome)).toEqual(['success', 'failure', 'skipped', 'success']);
    expect(jobs[0]?.steps[1]?.log).toContain('cleaning');
  });

  it('end when they take too long', async () => {
    const text =
      'runs: { using: composite, steps: [{ shell: bash, run: exec sleep 20 }, { shell: bash, run: echo no }] }';
    const { jobs } = await runOneWorkflow(
      oneJob(
        '- uses: actions/checkout@v5\n- { uses: ./comp, timeout-minutes: 0.005 }\n- { if: failure(), run: echo after }',
      ),
      {},
      { 'comp/action.yml': text },
    );
    expect(jobs[0]).toMatchObject({ result: 'failure', steps: [{}, { outcome: 'failure' }, { log: 'after' }] });
  });

  it.each([
    ['a script without a shell', '{ run: echo }', 'missing: shell'],
    ['secrets', '{ shell: bash, run: "echo ${{ secrets.A }}" }', "'secrets'"],
    ['itself', '{ uses: ./comp }', 'deeper than'],
  ])('cannot hold %s', async (_, step, message) => {
    const text = `runs: { using: composite, steps: [${step}] }`;
    const { jobs } = await runOneWorkflow(
      oneJob('- uses: actions/checkout@v5\n- uses: ./comp'),
      {},
      { 'comp/action.yml': text },
    );
    expect(jobs[0]?.annotations.map((annotation) => annotation.message).join()).toContain(message);
  });
});
