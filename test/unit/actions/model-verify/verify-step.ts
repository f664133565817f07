import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { contract } from '../../../../src/actions/model-verify/contract.ts';
import { createRun } from '../../../../src/actions/model-verify/run.ts';
import { runCommand } from '../../../../src/core/runner/command.ts';
import { readEvent } from '../../../../src/core/runner/event.ts';
import { readInputs } from '../../../../src/core/runner/inputs.ts';
import { createLog } from '../../../../src/core/runner/log.ts';
import { ActionFailure } from '../../../../src/core/runner/run-action.ts';

/** A workspace with files, and the action run in it with inputs as a workflow gives them. */
export function createWorkspace(files: Readonly<Record<string, string | Buffer>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-models-'));
  const workspace = join(folder, 'workspace');
  const temp = join(folder, 'temp');
  mkdirSync(temp);
  mkdirSync(workspace);
  const write = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), content);
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  return {
    workspace,
    temp,
    write,
    async verify(inputs: Readonly<Record<string, string>>, more: Readonly<Record<string, string>> = {}) {
      const variables = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
      const environment = { GITHUB_SERVER_URL: 'https://github.com', ...more, ...Object.fromEntries(variables) };
      const lines: string[] = [];
      const log = createLog((line) => lines.push(line), { debug: false });
      const state = { save: () => undefined, get: () => undefined };
      const context = { event: readEvent(environment), environment, workspace, temp, log, runCommand, state };
      try {
        const { outputs = {}, summary = '' } = await createRun(undefined)(
          readInputs(contract, environment, log),
          context,
        );
        return { failure: undefined, outputs, summary, lines };
      } catch (error) {
        if (!(error instanceof ActionFailure)) throw error;
        return {
          failure: error.message,
          outputs: error.result.outputs ?? {},
          summary: error.result.summary ?? '',
          lines,
        };
      }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
