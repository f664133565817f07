import { stringify } from 'yaml';
import type { Contract } from '../../src/core/runner/contract.ts';

const NOTICE = '# Written by "npm run generate" from the contract in src/actions. Do not edit.\n';

/** `action.yml` as GitHub reads it: docs.github.com, "Metadata syntax for GitHub Actions". */
export function actionYaml(contract: Contract): string {
  const main = `../../dist/${contract.name}/index.js`;
  const inputs = Object.entries(contract.inputs).map(([name, input]) => [
    name,
    {
      description: input.description,
      ...(input.isRequired ? { required: true } : {}),
      ...(input.default === undefined ? {} : { default: input.default }),
      ...(input.deprecation === undefined ? {} : { deprecationMessage: input.deprecation }),
    },
  ]);
  const action = {
    name: contract.title,
    description: contract.description,
    author: 'Slipway',
    branding: contract.branding,
    inputs: Object.fromEntries(inputs),
    outputs: Object.fromEntries(
      Object.entries(contract.outputs).map(([name, { description }]) => [name, { description }]),
    ),
    runs: {
      using: 'node24',
      main,
      // "always()" is the default of post-if; it is written out because credentials are removed there.
      ...(contract.post ? { post: main, 'post-if': 'always()' } : {}),
    },
  };
  return NOTICE + stringify(action, { lineWidth: 100 });
}
