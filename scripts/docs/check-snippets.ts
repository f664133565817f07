import { lintWorkflow } from './actionlint.ts';
import { checkUses, type Interface } from './check-uses.ts';
import type { Finding } from './finding.ts';
import { fencesOf } from './markdown.ts';
import { workflowOf } from './workflow-text.ts';

/** YAML of a Markdown file that does not parse, workflows among it that actionlint refuses, and inputs that no action has. */
export async function checkSnippets(
  file: string,
  markdown: string,
  interfaceOf: (uses: string) => Interface | undefined,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { language, text, line } of fencesOf(markdown)) {
    if (language !== 'yaml' && language !== 'yml') continue;
    try {
      const workflow = workflowOf(text);
      if (workflow === undefined) continue;
      const problems = [...(await lintWorkflow(workflow.text)), ...checkUses(workflow.text, interfaceOf)];
      for (const problem of problems)
        findings.push({ file, line: line + problem.line - 1 - workflow.linesBefore, message: problem.message });
    } catch (error) {
      findings.push({ file, line, message: `no YAML: ${error instanceof Error ? error.message : String(error)}` });
    }
  }
  return findings;
}
