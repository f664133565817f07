import type { Contract, InputDeclaration } from '../../src/core/runner/contract.ts';

/**
 * A README whose input and output tables, between their markers, are those of the contract. What stands outside of
 * the markers is written by hand and left alone; a README that is not there yet gets a heading and the tables.
 */
export function readmeWithTables(readme: string | undefined, contract: Contract): string {
  const text =
    readme ??
    `# ${contract.name}\n\n${contract.description}\n\n## Inputs\n\n${empty('inputs')}\n\n## Outputs\n\n${empty('outputs')}\n`;
  return between(between(text, 'inputs', inputTable(contract)), 'outputs', outputTable(contract));
}

function inputTable(contract: Contract): string {
  const rows = Object.entries(contract.inputs).map(
    ([name, input]) =>
      `| \`${name}\` | ${typeOf(input)} | ${defaultOf(input)} | ${cell(input.description)}${deprecation(input)} |`,
  );
  return ['| input | type | default | what it does |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function outputTable(contract: Contract): string {
  const rows = Object.entries(contract.outputs).map(
    ([name, { description }]) => `| \`${name}\` | ${cell(description)} |`,
  );
  return ['| output | what it holds |', '| --- | --- |', ...rows].join('\n');
}

function typeOf(input: InputDeclaration<unknown>): string {
  return input.choices === undefined ? input.type : input.choices.map((choice) => `\`${choice}\``).join(' ');
}

function defaultOf(input: InputDeclaration<unknown>): string {
  if (input.isRequired) return '**required**';
  if (input.default === undefined || input.default === '') return '';
  // A line end alone, as between tags, would be an empty cell.
  return `\`${input.default.trim() === '' ? input.default.replaceAll('\n', '\\n') : cell(input.default)}\``;
}

function deprecation(input: InputDeclaration<unknown>): string {
  return input.deprecation === undefined ? '' : ` **Deprecated:** ${cell(input.deprecation)}`;
}

function cell(text: string): string {
  return text
    .trim()
    .replace(/\|/g, '\\|')
    .replace(/\s*\n\s*/g, ' ');
}

function empty(part: string): string {
  return `<!-- ${part}:start -->\n<!-- ${part}:end -->`;
}

function between(text: string, part: string, content: string): string {
  const start = `<!-- ${part}:start -->`;
  const end = `<!-- ${part}:end -->`;
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`a README of an action lacks the markers ${start} and ${end}`);
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}
