import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ActionRequest, runAction } from '../../../harness/runner/run-action.ts';

const event = {
  name: 'push',
  ref: 'refs/heads/main',
  sha: 'a'.repeat(40),
  repository: 'o/r',
  token: 'ghs_token',
  payload: { before: 'b' },
};
let root: string;
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'run-action-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const header =
  "const fs = require('node:fs'); const set = (file, text) => fs.appendFileSync(process.env['GITHUB_' + file], text + '\\n');\n";

/** Writes an action whose scripts are given as plain JavaScript. */
async function writeAction(scripts: { main: string; pre?: string; post?: string }, yaml = ''): Promise<string> {
  const folder = join(root, `action-${count++}`);
  await mkdir(folder);
  const stages = Object.entries(scripts).map(([name, script]) => [name, `${header}${script}`] as const);
  for (const [name, script] of stages) await writeFile(join(folder, `${name}.cjs`), script);
  const runs = stages.map(([name]) => `  ${name}: ${name}.cjs`).join('\n');
  await writeFile(join(folder, 'action.yml'), `name: test\nruns:\n  using: node24\n${runs}\n${yaml}`);
  return folder;
}

async function run(action: string, request: Partial<ActionRequest> = {}) {
  return runAction({ action, event, workspace: join(root, 'workspace'), ...request });
}

const printEnvironment = { main: "set('OUTPUT', 'env=' + JSON.stringify(process.env))" };

async function environmentOf(request: Partial<ActionRequest>, yaml = ''): Promise<Record<string, string>> {
  const { outputs } = await run(await writeAction(printEnvironment, yaml), request);
  return JSON.parse(outputs['env'] ?? '') as Record<string, string>;
}

describe('the environment of an action', () => {
  it('holds what the runner sets and nothing of the machine that tests run on', async () => {
    process.env['LEAK_OF_TEST_MACHINE'] = '1';
    const env = await environmentOf({});
    delete process.env['LEAK_OF_TEST_MACHINE'];
    const foreign = Object.keys(env).filter((name) => !/^(GITHUB_|RUNNER_|CI$|PATH$|HOME$|LANG$)/.test(name));
    expect(foreign).toEqual([]);
    expect(env).toMatchObject({
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_EVENT_NAME: 'push',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_REF_NAME: 'main',
      GITHUB_REF_TYPE: 'branch',
      GITHUB_REPOSITORY: 'o/r',
      GITHUB_REPOSITORY_OWNER: 'o',
      GITHUB_SHA: event.sha,
      GITHUB_WORKSPACE: join(root, 'workspace'),
      RUNNER_OS: 'Linux',
    });
    expect(env['PATH']).not.toContain('node_modules');
    expect(env['GITHUB_TOKEN']).toBeUndefined();
    expect(env['RUNNER_DEBUG']).toBeUndefined();
  });

  it('takes what the test adds, in variables and in contexts alike', async () => {
    const yaml = 'inputs: { api: { default: "${{ github.api_url }}" } }';
    const env = await environmentOf(
      { env: { GITHUB_API_URL: 'http://127.0.0.1:1', DOCKER_HOST: 'unix:///x' }, debug: true },
      yaml,
    );
    expect(env).toMatchObject({
      GITHUB_API_URL: 'http://127.0.0.1:1',
      INPUT_API: 'http://127.0.0.1:1',
      DOCKER_HOST: 'unix:///x',
      RUNNER_DEBUG: '1',
    });
  });

  it('applies defaults with their expressions, and does not enforce required', async () => {
    const yaml = `inputs:
  github-token: { default: "\${{ github.token }}" }
  where: { default: "\${{ github.server_url }}/\${{ github.repository }}" }
  flag: { default: true }
  given: { default: unused }
  build args: { required: true }`;
    const env = await environmentOf({ inputs: { given: '', 'Odd Name': 'x' } }, yaml);
    expect(env).toMatchObject({
      'INPUT_GITHUB-TOKEN': 'ghs_token',
      INPUT_WHERE: 'https://github.com/o/r',
      INPUT_FLAG: 'true',
      INPUT_GIVEN: '',
      INPUT_BUILD_ARGS: '',
      INPUT_ODD_NAME: 'x',
    });
  });

  it('holds the event as a file', async () => {
    const action = await writeAction({
      main: "set('OUTPUT', 'event=' + fs.readFileSync(process.env.GITHUB_EVENT_PATH))",
    });
    expect((await run(action)).outputs).toEqual({ event: '{"before":"b"}' });
  });

  it('is Node 24, in the workspace', async () => {
    const action = await writeAction({ main: "set('OUTPUT', 'at=' + process.version.split('.')[0] + process.cwd())" });
    expect((await run(action)).outputs['at']).toBe(`v24${join(root, 'workspace')}`);
  });
});

describe('the result of an action', () => {
  it('holds outputs, variables, path, state, summary and annotations', async () => {
    const action = await writeAction({
      main: `set('OUTPUT', 'a<<X\\n1\\n2\\nX'); set('ENV', 'E=1'); set('PATH', '/opt/x'); set('STATE', 's=1');
        set('STEP_SUMMARY', '# Done'); console.log('::warning file=a,line=1::careful'); console.error('to stderr');`,
    });
    const result = await run(action);
    expect(result).toMatchObject({
      exitCode: 0,
      outcome: 'success',
      outputs: { a: '1\n2' },
      env: { E: '1' },
      path: ['/opt/x'],
      state: { s: '1' },
      summary: '# Done\n',
      annotations: [{ level: 'warning', message: 'careful', file: 'a', line: 1 }],
    });
    expect(result.log).toContain('to stderr');
    expect(result.durationMs).toBeGreaterThan(0);
  });

  it('warns about unexpected inputs and deprecated ones', async () => {
    const action = await writeAction({ main: '' }, 'inputs: { old: { deprecationMessage: use new } }');
    const { annotations, outcome } = await run(action, { inputs: { other: '1', old: '2' } });
    expect(outcome).toBe('success');
    expect(annotations.map((annotation) => annotation.message)).toEqual([
      "Input 'old' has been deprecated with message: use new",
      "Unexpected input(s) 'other', valid inputs are ['old']",
    ]);
  });

  it('hides the token and every mask in log and summary', async () => {
    const action = await writeAction({
      main: "console.log('ghs_token'); console.log('::add-mask::hush'); console.log('hush!'); set('STEP_SUMMARY', 'hush')",
    });
    const result = await run(action);
    expect([result.log, result.summary]).toEqual(['***\n***!', '***\n']);
    expect(result.rawLog).toContain('hush!');
    expect(result.masks).toEqual(['ghs_token', 'hush']);
  });

  it.each([
    ['an exit code', 'process.exit(3)', 3],
    ['an uncaught error', "throw new Error('x')", 1],
    ['a malformed output file', "set('OUTPUT', 'nonsense')", 0],
    ['a disabled command', "console.log('::set-env name=A::1')", 0],
    ['a signal', "process.kill(process.pid, 'SIGKILL')", 137],
  ])('is a failure after %s', async (_, main, exitCode) => {
    expect(await run(await writeAction({ main }))).toMatchObject({ outcome: 'failure', exitCode });
  });

  it('keeps lines whole across chunks, carriage returns and a missing last line end', async () => {
    const action = await writeAction({
      main: "process.stdout.write('a\\r\\nb\\rc'); setTimeout(() => process.stdout.write('d\\n::error::e'), 50)",
    });
    const result = await run(action);
    expect(result.rawLog).toBe('a\nb\ncd\n::error::e');
    expect(result.annotations).toHaveLength(1);
  });
});

describe('pre and post steps', () => {
  const tell = (text: string) =>
    `console.log('${text} ' + Object.entries(process.env).filter(([k]) => k.startsWith('STATE_')).map((e) => e.join('=')));`;

  it('share state from stage to stage', async () => {
    const action = await writeAction({
      pre: `${tell('pre')} set('STATE', 'a=1');`,
      main: `${tell('main')} set('STATE', 'b=2'); console.log('::save-state name=c::3');`,
      post: tell('post'),
    });
    const result = await run(action);
    expect([result.pre?.log, result.log, result.post?.log]).toEqual([
      'pre ',
      'main STATE_a=1',
      'post STATE_a=1,STATE_c=3,STATE_b=2',
    ]);
  });

  it('run the post step after a failure too', async () => {
    const result = await run(await writeAction({ main: 'process.exit(1)', post: '' }));
    expect([result.outcome, result.post?.outcome]).toEqual(['failure', 'success']);
  });

  it.each([
    ['success()', 'process.exit(1)', false],
    ['success()', '', true],
    ['failure()', 'process.exit(1)', true],
    ['failure()', '', false],
  ])('obey post-if %s after "%s"', async (condition, main, isRun) => {
    const action = await writeAction({ main, post: '' });
    const file = join(action, 'action.yml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('  post:', `  post-if: ${condition}\n  post:`));
    expect((await run(action)).post !== undefined).toBe(isRun);
  });

  it('leave out main when pre fails', async () => {
    const result = await run(await writeAction({ pre: 'process.exit(1)', main: "set('OUTPUT', 'a=1')" }));
    expect(result).toMatchObject({ outcome: 'skipped', outputs: {}, pre: { outcome: 'failure' } });
  });
});

describe('cancellation', () => {
  const graceMs = { interrupt: 300, terminate: 300 };
  const wait = 'setInterval(() => {}, 1000); console.log("ready");';

  it.each([
    ['SIGINT', "process.on('SIGINT', () => process.exit(9));", ['SIGINT'], 9],
    [
      'SIGTERM',
      "process.on('SIGINT', () => {}); process.on('SIGTERM', () => process.exit(8));",
      ['SIGINT', 'SIGTERM'],
      8,
    ],
    [
      'a kill',
      "process.on('SIGINT', () => {}); process.on('SIGTERM', () => {});",
      ['SIGINT', 'SIGTERM', 'SIGKILL'],
      137,
    ],
  ])('ends with %s when the action heeds nothing before', async (_, handlers, signalsSent, exitCode) => {
    const controller = new AbortController();
    const onLine = (line: string) => {
      if (line === 'ready') controller.abort();
    };
    const action = await writeAction({ main: `${handlers} ${wait}`, post: '' });
    const result = await run(action, { signal: controller.signal, onLine, graceMs });
    expect(result).toMatchObject({ outcome: 'cancelled', signalsSent, exitCode, post: { outcome: 'success' } });
  });

  it('fails an action that takes too long', async () => {
    const result = await run(await writeAction({ main: wait }), { timeoutMs: 400, graceMs });
    expect(result).toMatchObject({ outcome: 'failure', signalsSent: ['SIGINT'] });
    expect(result.annotations.at(-1)?.message).toContain('timed out');
  });
});

describe('an action that cannot run', () => {
  it.each([
    ['docker', "runs.using 'docker' is not supported"],
    ['node12', "runs.using 'node12' is not supported"],
    ['composite\n  steps: []', 'needs the workflow runner'],
  ])('is refused when it uses %s', async (using, message) => {
    const folder = join(root, `action-${count++}`);
    await mkdir(folder);
    await writeFile(join(folder, 'action.yaml'), `name: x\nruns:\n  using: ${using}\n`);
    await expect(run(folder)).rejects.toThrow(message);
  });

  it('is refused without action.yml', async () => {
    await expect(run(join(root, 'nowhere'))).rejects.toThrow("Can't find 'action.yml'");
  });
});
