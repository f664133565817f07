import { describe, expect, it } from 'vitest';
import { MAX_DOCKERFILE_BYTES, readInstructions, readJsonForm } from '../../../../src/core/dockerfile/instructions.ts';

const keywordsOf = (text: string) =>
  readInstructions(text, 'Dockerfile').instructions.map(({ keyword, line, endLine }) => [keyword, line, endLine]);

describe('instructions of a Dockerfile', () => {
  it.each<[string, string, [string, number, number][]]>([
    [
      'one a line',
      'FROM a\nRUN b\n',
      [
        ['from', 1, 1],
        ['run', 2, 2],
      ],
    ],
    [
      'keywords in any case',
      'from a\nRun b',
      [
        ['from', 1, 1],
        ['run', 2, 2],
      ],
    ],
    [
      'CRLF line ends',
      'FROM a\r\nRUN b \\\r\n  c\r\nUSER x\r\n',
      [
        ['from', 1, 1],
        ['run', 2, 3],
        ['user', 4, 4],
      ],
    ],
    [
      'a byte order mark',
      '\uFEFFFROM a\nRUN b\n',
      [
        ['from', 1, 1],
        ['run', 2, 2],
      ],
    ],
    [
      'comments and blank lines inside a continuation',
      'FROM a\nRUN x && \\\n# no\n\n  y\nRUN z\n',
      [
        ['from', 1, 1],
        ['run', 2, 5],
        ['run', 6, 6],
      ],
    ],
    [
      'blanks behind the continuation sign',
      'FROM a\nRUN x \\  \n  y\nRUN z',
      [
        ['from', 1, 1],
        ['run', 2, 3],
        ['run', 4, 4],
      ],
    ],
    [
      'an escaped escape that does not continue',
      'FROM a\nRUN x \\\\\nRUN y\n',
      [
        ['from', 1, 1],
        ['run', 2, 2],
        ['run', 3, 3],
      ],
    ],
    [
      'a continuation at the end of the file',
      'FROM a\nRUN x \\',
      [
        ['from', 1, 1],
        ['run', 2, 2],
      ],
    ],
    [
      'the escape directive',
      '# escape=`\nFROM a\nRUN x `\n  y\nRUN c:\\\n',
      [
        ['from', 2, 2],
        ['run', 3, 4],
        ['run', 5, 5],
      ],
    ],
    [
      'the escape directive behind a byte order mark and syntax',
      '\uFEFF# syntax=docker/dockerfile:1\n# escape = `\nFROM a\nRUN x `\n y',
      [
        ['from', 3, 3],
        ['run', 4, 5],
      ],
    ],
    [
      'an escape directive that stands too late',
      '# a comment\n# escape=`\nFROM a\nRUN x \\\n y',
      [
        ['from', 3, 3],
        ['run', 4, 5],
      ],
    ],
    [
      'a heredoc whose body holds FROM',
      'FROM a\nRUN <<EOF\nFROM b\nEOF\nRUN z',
      [
        ['from', 1, 1],
        ['run', 2, 4],
        ['run', 5, 5],
      ],
    ],
    [
      'a heredoc for a file descriptor',
      'FROM a\nRUN cat 3<<EOF\nFROM b\nEOF\nRUN z',
      [
        ['from', 1, 1],
        ['run', 2, 4],
        ['run', 5, 5],
      ],
    ],
    [
      'two heredocs of which one is indented',
      'FROM a\nCOPY <<-A <<B /x/\n\tx\n\tA\n\tB\nFROM q\nB\nRUN z',
      [
        ['from', 1, 1],
        ['copy', 2, 7],
        ['run', 8, 8],
      ],
    ],
    [
      'a heredoc whose quoted name holds a blank',
      'FROM a\nRUN <<"EO F"\nFROM b\nEO F\nRUN z',
      [
        ['from', 1, 1],
        ['run', 2, 4],
        ['run', 5, 5],
      ],
    ],
    [
      'a heredoc behind a continuation',
      'FROM a\nRUN --mount=target=/x \\\n  <<EOF\nFROM b\nEOF\nRUN z',
      [
        ['from', 1, 1],
        ['run', 2, 5],
        ['run', 6, 6],
      ],
    ],
    [
      'a heredoc in ONBUILD',
      'FROM a\nONBUILD COPY <<EOF /x\nFROM b\nEOF\nRUN z',
      [
        ['from', 1, 1],
        ['onbuild', 2, 4],
        ['run', 5, 5],
      ],
    ],
    [
      'no heredoc in quotes',
      'FROM a\nRUN echo "<<EOF"\nRUN z',
      [
        ['from', 1, 1],
        ['run', 2, 2],
        ['run', 3, 3],
      ],
    ],
    [
      'no heredoc in the JSON form',
      'FROM a\nRUN ["x", "<<EOF"]\nRUN z',
      [
        ['from', 1, 1],
        ['run', 2, 2],
        ['run', 3, 3],
      ],
    ],
    [
      'no heredoc where the shift operator stands alone',
      'FROM a\nRUN echo $((1 << 2))\nRUN z',
      [
        ['from', 1, 1],
        ['run', 2, 2],
        ['run', 3, 3],
      ],
    ],
    [
      'no heredoc in an instruction that takes none',
      'FROM a\nUSER <<EOF\nRUN z',
      [
        ['from', 1, 1],
        ['user', 2, 2],
        ['run', 3, 3],
      ],
    ],
  ])('are read with %s', (_, text, expected) => {
    expect(keywordsOf(text)).toEqual(expected);
  });

  it('keep the body of a heredoc and whether it is expanded', () => {
    const [, run] = readInstructions("FROM a\nRUN <<A <<-'B'\none\nA\n\ttwo\n\tB\n", 'Dockerfile').instructions;
    expect(run?.heredocs).toEqual([
      { name: 'A', isIndented: false, isExpanded: true, content: 'one\n' },
      { name: 'B', isIndented: true, isExpanded: false, content: '\ttwo\n' },
    ]);
  });

  it.each([
    [
      'COPY --from=x --chown=1:1 a b',
      [
        ['from', 'x'],
        ['chown', '1:1'],
      ],
      'a b',
    ],
    ['COPY --link a b', [['link', '']], 'a b'],
    ['COPY -- --a b', [], '--a b'],
    ['RUN --mount=type=bind,"source=a b",target=/x ls', [['mount', 'type=bind,source=a b,target=/x']], 'ls'],
    ['FROM --platform=$BUILDPLATFORM a AS b', [['platform', '$BUILDPLATFORM']], 'a AS b'],
  ])('split flags from arguments: %s', (text, flags, rest) => {
    const [instruction] = readInstructions(text, 'Dockerfile').instructions;
    expect(instruction?.flags.map(({ name, value }) => [name, value])).toEqual(flags);
    expect(instruction?.rest).toBe(rest);
  });

  it('refuse a heredoc without an end, with its place', () => {
    expect(() => readInstructions('FROM a\n\nRUN <<EOF\nx\n', 'api/Dockerfile')).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', place: { file: 'api/Dockerfile', line: 3 } }),
    );
  });

  it('refuse a file above the limit', () => {
    expect(() => readInstructions('#'.repeat(MAX_DOCKERFILE_BYTES + 1), 'Dockerfile')).toThrow(/larger than/);
  });

  it.each([
    ['["a b","c  d"]', ['a b', 'c  d']],
    ['["a", 1]', undefined],
    ['[ -f x ] && y', undefined],
    ['a b', undefined],
  ])('read the JSON form only where it is one: %s', (rest, expected) => {
    expect(readJsonForm(rest)).toEqual(expected);
  });
});
