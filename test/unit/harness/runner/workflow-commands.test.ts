import { describe, expect, it } from 'vitest';
import { commandNames, parseWorkflowCommand } from '../../../harness/runner/workflow-commands.ts';

describe('parseWorkflowCommand', () => {
  it.each([
    ['::error::boom', 'error', {}, 'boom'],
    ['  ::error::indented', 'error', {}, 'indented'],
    ['::ERROR::any case', 'error', {}, 'any case'],
    ['::error file=a.ts,line=3,col=4::x', 'error', { file: 'a.ts', line: '3', col: '4' }, 'x'],
    ['::error title=a%2Cb%3Ac%25d::x', 'error', { title: 'a,b:c%d' }, 'x'],
    ['::error file=,line=3::an empty property is left out', 'error', { line: '3' }, 'an empty property is left out'],
    ['::error endLine=3::names in any case', 'error', { endline: '3' }, 'names in any case'],
    ['::notice::a%0Ab%0Dc%25d', 'notice', {}, 'a\nb\rc%d'],
    ['::notice::%250A stays text', 'notice', {}, '%0A stays text'],
    ['::notice::%3A is no escape in data', 'notice', {}, '%3A is no escape in data'],
    ['::group::a::b', 'group', {}, 'a::b'],
    ['::endgroup::', 'endgroup', {}, ''],
  ])('reads %s', (line, name, properties, data) => {
    const command = parseWorkflowCommand(line, commandNames);
    expect([command?.name, Object.fromEntries(command?.properties ?? []), command?.data]).toEqual([
      name,
      properties,
      data,
    ]);
  });

  it.each(['plain', 'text ::error::x', '::unknown::x', '::error:x', ':: error::x', '::error'])(
    'takes "%s" for ordinary text',
    (line) => {
      expect(parseWorkflowCommand(line, commandNames)).toBeUndefined();
    },
  );
});
