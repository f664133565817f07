import path from 'node:path';
import { parseArgs } from 'node:util';

/** What `npm start` was asked to do. */
export interface StartOptions {
  /** The repository whose workflow is run. */
  readonly workspace: string;
  /** The workflow's path in it. */
  readonly workflow: string;
  /** True for the example of this repository: a change is then made and the workflow run again. */
  readonly isExample: boolean;
  /** Whether the services stay until Ctrl-C, to look at the site and the registry. */
  readonly keep: boolean;
  /** Where the HTML report is left. */
  readonly output: string;
  /** Only the usage was asked for. */
  readonly help: boolean;
}

export const USAGE = `npm start                                           runs the release of examples/safety-detector, twice
npm start -- --workspace DIR [--workflow FILE]      runs a workflow of any git repository, on its last commit
           [--keep]                                 leaves the services running until Ctrl-C
           [--output DIR]                           where the report goes (default: .slipway)`;

/** Reads the command line; throws an Error that says what is wrong with it. */
export function readOptions(args: readonly string[], root: string): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workspace: { type: 'string' },
      workflow: { type: 'string', default: '.github/workflows/release.yml' },
      help: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      output: { type: 'string', default: path.join(root, '.slipway') },
    },
  });
  return {
    workspace: path.resolve(values.workspace ?? path.join(root, 'examples/safety-detector')),
    workflow: values.workflow,
    isExample: values.workspace === undefined,
    keep: values.keep,
    output: path.resolve(values.output),
    help: values.help,
  };
}
