import { isMap, isScalar, LineCounter, parseDocument, visit } from 'yaml';

/** What may be given to an action or a reusable workflow, and what it gives. */
export interface Interface {
  readonly inputs: ReadonlySet<string>;
  readonly required: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
}

export interface UseProblem {
  /** In the text, from 1. */
  readonly line: number;
  readonly message: string;
}

interface Use {
  readonly uses: string;
  readonly id: string | undefined;
  readonly line: number;
  readonly given: readonly { readonly name: string; readonly line: number }[];
}

/**
 * Compares every `with:` key and every `steps.<id>.outputs.<name>` of a workflow with what the actions and workflows of
 * this repository declare.
 *
 * @param interfaceOf What a `uses:` of this repository declares; undefined for one of somebody else's. Throws Error for
 * one that is not there.
 */
export function checkUses(
  workflow: string,
  interfaceOf: (uses: string) => Interface | undefined,
): readonly UseProblem[] {
  const problems: UseProblem[] = [];
  const outputsById = new Map<string, ReadonlySet<string>[]>();
  for (const use of usesOf(workflow)) {
    const declared = declaredBy(use, interfaceOf, problems);
    if (declared === undefined) continue;
    problems.push(...inputProblems(use, declared));
    if (use.id !== undefined) outputsById.set(use.id, [...(outputsById.get(use.id) ?? []), declared.outputs]);
  }
  for (const [index, line] of workflow.split('\n').entries()) {
    for (const [, id = '', name = ''] of line.matchAll(/steps\.([\w-]+)\.outputs\.([\w-]+)/g)) {
      const outputs = outputsById.get(id);
      if (outputs?.some((each) => each.has(name)) === false)
        problems.push({ line: index + 1, message: `the step "${id}" has no output "${name}"` });
    }
  }
  return problems;
}

function declaredBy(
  use: Use,
  interfaceOf: (uses: string) => Interface | undefined,
  problems: UseProblem[],
): Interface | undefined {
  try {
    return interfaceOf(use.uses);
  } catch (error) {
    problems.push({ line: use.line, message: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

function inputProblems({ uses, line, given }: Use, { inputs, required }: Interface): readonly UseProblem[] {
  const unknown = given.filter(({ name }) => !inputs.has(name));
  const missing = [...required].filter((name) => !given.some((each) => each.name === name));
  return [
    ...unknown.map((each) => ({ line: each.line, message: `${uses} has no input "${each.name}"` })),
    ...missing.map((name) => ({ line, message: `${uses} needs the input "${name}"` })),
  ];
}

function usesOf(workflow: string): readonly Use[] {
  const counter = new LineCounter();
  const found: Use[] = [];
  const lineOf = (node: unknown): number => (isScalar(node) ? counter.linePos(node.range?.[0] ?? 0).line : 1);
  visit(parseDocument(workflow, { lineCounter: counter }), {
    Map(_, node) {
      const uses = node.get('uses', true);
      if (!isScalar(uses) || typeof uses.value !== 'string') return;
      const values = node.get('with', true);
      const id = node.get('id');
      found.push({
        uses: uses.value,
        id: typeof id === 'string' ? id : undefined,
        line: lineOf(uses),
        given: (isMap(values) ? values.items : []).map(({ key }) => ({ name: String(key), line: lineOf(key) })),
      });
    },
  });
  return found;
}
