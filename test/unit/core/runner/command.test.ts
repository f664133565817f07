import { describe, expect, test } from 'vitest';
import { CommandError, runCommand } from '../../../../src/core/runner/command.ts';

const node = process.execPath;
const script = (text: string): [string, string[]] => [node, ['-e', text]];

test('arguments reach the program as they are, without a shell', async () => {
  const { stdout } = await runCommand(node, [
    '-e',
    'console.log(JSON.stringify(process.argv.slice(1)))',
    '$(id)',
    'a b',
    "'",
    '*',
  ]);
  expect(JSON.parse(stdout)).toEqual(['$(id)', 'a b', "'", '*']);
});

test('the exit code decides: failing with an empty stderr fails', async () => {
  await expect(runCommand(...script('process.exit(3)'))).rejects.toMatchObject({
    name: 'CommandError',
    exitCode: 3,
    stderr: '',
  });
});

test('success with a full stderr succeeds', async () => {
  const result = await runCommand(...script('console.error("a warning")'));
  expect(result).toEqual({ exitCode: 0, stdout: '', stderr: 'a warning\n' });
});

test('a failure shows the end of stderr', async () => {
  await expect(
    runCommand(...script('for (let i = 0; i < 99; i += 1) console.error(i); process.exit(1)')),
  ).rejects.toThrow(/97\n98$/);
});

test('a failure that is allowed is a result', async () => {
  expect((await runCommand(...script('process.exit(7)'), { allowFailure: true })).exitCode).toBe(7);
});

test('a program that is not there is a clear error', async () => {
  await expect(runCommand('no-such-program', [])).rejects.toThrow(/no-such-program could not be started: .*ENOENT/);
});

describe('bounds', () => {
  test('a program that takes too long is ended', async () => {
    await expect(runCommand(...script('setInterval(() => {}, 1000)'), { deadline: 300 })).rejects.toThrow(
      /took longer than 300 ms/,
    );
  });

  test('a program that prints too much is ended', async () => {
    const endless = script('const t = "x".repeat(1e5); (function f() { process.stdout.write(t, f); })()');
    await expect(runCommand(...endless, { maxOutput: 1_000_000 })).rejects.toThrow(/printed more than 1000000 bytes/);
  });

  test('a program is ended with what it started, which would keep its pipes open', async () => {
    const child =
      'require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" })';
    const started = Date.now();
    await expect(runCommand(...script(`${child}; setInterval(() => {}, 1000)`), { deadline: 500 })).rejects.toThrow(
      /took longer/,
    );
    expect(Date.now() - started).toBeLessThan(4000);
  });

  test('a program is ended when this process is cancelled', async () => {
    const own = `
      import { runCommand } from ${JSON.stringify(new URL('../../../../src/core/runner/command.ts', import.meta.url).href)};
      const run = runCommand(process.execPath, ['-e', 'console.log(process.pid); setInterval(() => {}, 1000)'], { onStdoutLine: console.log });
      await run.catch((error) => console.log(error.message));`;
    const lines: string[] = [];
    const outer = new AbortController();
    const running = runCommand(node, ['--input-type=module', '-e', own], {
      signal: outer.signal,
      onStdoutLine: (line) => {
        lines.push(line);
        if (lines.length === 1) outer.abort();
      },
    });
    await expect(running).rejects.toThrow(/was cancelled/);
    expect(lines[1]).toMatch(/was cancelled \(SIGTERM\)$/);
    expect(() => process.kill(Number(lines[0]), 0)).toThrow(/ESRCH/);
  });

  test('a program is ended when its caller gives up', async () => {
    const controller = new AbortController();
    const running = runCommand(...script('setInterval(() => {}, 1000)'), { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toThrow(/was cancelled/);
  });
});

test('lines are handed on as they come, characters whole, and are not kept', async () => {
  const lines: string[] = [];
  const text =
    'process.stderr.write(Buffer.from([0xe2])); setTimeout(() => { process.stderr.write(Buffer.from([0x82, 0xac])); process.stderr.write("\\r\\nrest"); }, 50)';
  await runCommand(...script(text), { onStderrLine: (line) => lines.push(line) });
  expect(lines).toEqual(['€', 'rest']);
});

test('input is written, and a program that does not read it is no error', async () => {
  const read = await runCommand(...script('process.stdin.pipe(process.stdout)'), { input: 'hello' });
  expect(read.stdout).toBe('hello');
  const unread = await runCommand(...script('process.exit(0)'), { input: 'x'.repeat(5_000_000) });
  expect(unread.exitCode).toBe(0);
});

test('a program ended by a signal is no success', async () => {
  await expect(runCommand(...script('process.kill(process.pid, "SIGKILL")'))).rejects.toBeInstanceOf(CommandError);
});
