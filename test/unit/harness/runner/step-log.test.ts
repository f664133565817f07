import { describe, expect, it } from 'vitest';
import { createSecretMasker } from '../../../harness/runner/masks.ts';
import { createStepLog } from '../../../harness/runner/step-log.ts';

function logOf(lines: readonly string[], debug = false) {
  const log = createStepLog({ masks: createSecretMasker(), debug });
  for (const line of lines) log.write(line);
  return log;
}

describe('createStepLog', () => {
  it('collects annotations with their places', () => {
    const log = logOf([
      '::error file=a/b.ts,line=3,endLine=4,col=5,endColumn=6,title=T::bad',
      '::warning::hm',
      '::notice::hi',
    ]);
    expect(log.annotations).toEqual([
      { level: 'error', message: 'bad', title: 'T', file: 'a/b.ts', line: 3, endLine: 4, column: 5, endColumn: 6 },
      { level: 'warning', message: 'hm' },
      { level: 'notice', message: 'hi' },
    ]);
    expect(log.log()).toBe('##[error]bad\n##[warning]hm\n##[notice]hi');
    expect(log.failed).toBe(false);
  });

  it('hides a secret from the line of its mask on, in the log and in annotations', () => {
    const log = logOf(['before tok', '::add-mask::tok', 'after tok', '::error title=tok::has tok']);
    expect(log.log()).toBe('before tok\nafter ***\n##[error]has ***');
    expect(log.annotations).toEqual([{ level: 'error', message: 'has ***', title: '***' }]);
    expect(log.rawLog()).toContain('after tok');
  });

  it('hides each line of a multi-line secret', () => {
    expect(logOf(['::add-mask::one%0Atwo', 'got two', 'and one']).log()).toBe('got ***\nand ***');
  });

  it('warns about an empty mask', () => {
    expect(logOf(['::add-mask::']).annotations).toMatchObject([{ level: 'warning' }]);
  });

  it('shows debug messages only when debugging', () => {
    expect(logOf(['::debug::x']).log()).toBe('');
    expect(logOf(['::debug::x'], true).log()).toBe('##[debug]x');
    expect(logOf(['::debug::x']).debugMessages).toEqual(['x']);
  });

  it('keeps groups', () => {
    const log = logOf(['::group::Build', 'x', '::endgroup::']);
    expect([log.groups, log.log()]).toEqual([['Build'], '##[group]Build\nx\n##[endgroup]']);
  });

  it('stops reading commands until the token comes', () => {
    const log = logOf(['::stop-commands::tok-1', '::error::not read', '::TOK-1::', '::error::read']);
    expect(log.annotations.map((annotation) => annotation.message)).toEqual(['read']);
    expect(log.log()).toContain('::error::not read');
  });

  it('takes state from the old command', () => {
    expect(Object.fromEntries(logOf(['::save-state name=a::1']).state)).toEqual({ a: '1' });
  });

  it.each([
    '::set-env name=A::1',
    '::add-path::/x',
    '::set-output name=a::1',
    '::save-state::1',
    '::echo::maybe',
    '::stop-commands::',
    '::stop-commands::pause-logging',
    '::stop-commands::error',
  ])('fails on %s', (line) => {
    const log = logOf([line]);
    expect(log.failed).toBe(true);
    expect(log.annotations.every((annotation) => annotation.level === 'error')).toBe(true);
  });
});
