import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { fieldOf, isRecord } from '../../src/core/runner/event.ts';
import { contracts } from '../contracts.ts';
import type { Interface } from './check-uses.ts';

const OWN = /^(?:[\w.-]+\/slipway\/|\.\/)(actions|\.github\/workflows)\/([^@]+)(?:@|$)/;

/** What a `uses:` of this repository declares; undefined for one of somebody else's. Throws Error when there is none. */
export function interfaceOf(root: string, uses: string): Interface | undefined {
  const [, kind, name = ''] = OWN.exec(uses) ?? [];
  if (kind === undefined) return undefined;
  return kind === 'actions' ? actionInterface(name) : workflowInterface(root, name);
}

function actionInterface(name: string): Interface {
  const contract = contracts.find((each) => each.name === name);
  if (contract === undefined) throw new Error(`there is no action "${name}"`);
  const inputs = Object.entries(contract.inputs);
  return {
    inputs: new Set(inputs.map(([input]) => input)),
    required: new Set(inputs.flatMap(([input, declaration]) => (declaration.isRequired ? [input] : []))),
    outputs: new Set(Object.keys(contract.outputs)),
  };
}

function workflowInterface(root: string, name: string): Interface {
  const file = join(root, '.github/workflows', name);
  if (!existsSync(file)) throw new Error(`there is no workflow "${name}"`);
  const call = fieldOf(fieldOf(parse(readFileSync(file, 'utf8')), 'on'), 'workflow_call');
  if (call === undefined) throw new Error(`the workflow "${name}" cannot be called`);
  const inputs = entriesOf(fieldOf(call, 'inputs'));
  return {
    inputs: new Set(inputs.map(([input]) => input)),
    required: new Set(inputs.flatMap(([input, of]) => (fieldOf(of, 'required') === true ? [input] : []))),
    outputs: new Set(entriesOf(fieldOf(call, 'outputs')).map(([output]) => output)),
  };
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return isRecord(value) ? Object.entries(value) : [];
}
