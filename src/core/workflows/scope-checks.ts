import type { StaticFinding } from '../images/static-checks.ts';
import type { Workflow, WorkflowStep } from './workflow-file.ts';

interface CacheUse {
  readonly scope: string;
  /** What is built, as the step says it. */
  readonly build: string;
  readonly dockerfile: string;
  readonly file: string;
  readonly line: number;
}

/** What BuildKit calls a scope that nobody names. */
const DEFAULT_SCOPE = 'buildkit';

/**
 * Steps that write GitHub's cache under one scope for different Dockerfiles: each write throws away what the other
 * one kept (moby/buildkit, "GitHub Actions cache"). A matrix that writes all its rows under one fixed scope counts.
 */
export function checkCacheScopes(workflows: readonly Workflow[]): readonly StaticFinding[] {
  const uses = workflows.flatMap((workflow) => workflow.steps.flatMap((step) => cacheUse(workflow, step)));
  const findings: StaticFinding[] = [];
  const firstOf = new Map<string, CacheUse>();
  for (const use of uses) {
    const first = firstOf.get(use.scope);
    if (first === undefined) firstOf.set(use.scope, use);
    if (/\$\{\{\s*matrix\b|toJSON\(matrix/i.test(use.build))
      findings.push(toFinding(use, `every row of this matrix writes the cache scope "${use.scope}"`));
    else if (first !== undefined && first.build !== use.build)
      findings.push(
        toFinding(
          use,
          `the cache scope "${use.scope}" of "${use.dockerfile}" is also that of "${first.dockerfile}" (${first.file}:${first.line})`,
        ),
      );
  }
  return findings;
}

function toFinding({ file, line }: CacheUse, what: string): StaticFinding {
  const message = `${what}: each build throws away what the other kept; give each a scope of its own`;
  return { level: 'problem', title: 'Cache scope', file, line, message };
}

function cacheUse({ file }: Workflow, step: WorkflowStep): readonly CacheUse[] {
  if (!/(?:^|\/)(?:build-push-action|multistage-build)$/.test(step.action)) return [];
  const own = step.input('cache-scope');
  const written = step
    .input('cache-to')
    ?.split('\n')
    .find((entry) => /(?:^|,)\s*type=gha\b/.test(entry));
  const scope =
    own ?? (written === undefined ? undefined : (/(?:^|,)scope=([^,]+)/.exec(written)?.[1] ?? DEFAULT_SCOPE));
  // A scope with an expression may be another one in every step.
  if (scope === undefined || scope.includes('${{')) return [];
  const parts = ['image', 'context', 'file', 'target'].map((input) => step.input(input)?.replace(/^\.\//, '') ?? '');
  const [image = '', context = '', dockerfile = '', target = ''] = parts;
  return [
    {
      scope: scope.trim(),
      build: JSON.stringify([image, dockerfile === '' ? context : '', dockerfile, target]),
      dockerfile:
        dockerfile === '' ? `${context === '' || context === '.' ? '' : `${context}/`}Dockerfile` : dockerfile,
      file,
      line: step.lineOf(own === undefined ? 'cache-to' : 'cache-scope'),
    },
  ];
}
