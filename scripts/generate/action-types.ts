import { stringify } from 'yaml';
import type { Contract, InputDeclaration } from '../../src/core/runner/contract.ts';

const NOTICE = '# Written by "npm run generate" from the contract in src/actions. Do not edit.\n';

/** `action-types.yml` for typed workflows: typesafegithub/github-actions-typing. */
export function actionTypes(contract: Contract): string {
  return (
    NOTICE +
    stringify({
      inputs: Object.fromEntries(Object.entries(contract.inputs).map(([name, input]) => [name, typeOf(input)])),
      outputs: Object.fromEntries(Object.keys(contract.outputs).map((name) => [name, { type: 'string' }])),
    })
  );
}

function typeOf(input: InputDeclaration<unknown>): Record<string, unknown> {
  switch (input.type) {
    case 'boolean':
      return { type: 'boolean' };
    case 'integer':
      return { type: 'integer' };
    case 'choice':
      return { type: 'enum', 'allowed-values': input.choices };
    case 'list':
    case 'lines':
    case 'globs':
    case 'map':
      return { type: 'list', separator: '\n', 'list-item': { type: 'string' } };
    case 'text':
    case 'secret':
    case 'duration':
    case 'size':
    case 'JSON':
      return { type: 'string' };
  }
}
