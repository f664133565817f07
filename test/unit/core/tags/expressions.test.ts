import { expect, test } from 'vitest';
import { createRenderer, mentions } from '../../../../src/core/tags/expressions.ts';

const view = {
  values: new Map<string, string | number>([
    ['branch', 'a<b>&"c"'],
    ['tag', ''],
    ['major', 0],
    ['is_default_branch', 'true'],
  ]),
  now: new Date('2026-11-20T23:30:00Z'),
  commitDate: new Date('2026-01-02T03:04:05Z'),
};

async function render(template: string, unknown: string[] = []): Promise<string> {
  const renderer = await createRenderer([template], (name, near) => unknown.push(`${name}, near ${near}`));
  return renderer(template, view);
}

test.each([
  ['plain', 'plain'],
  ['', ''],
  ['v{{branch}}-{{ major }}', 'va<b>&"c"-0'],
  [`{{date 'YYYYMMDD'}}`, '20261120'],
  [`{{date 'YYYYMMDD' tz='Europe/Paris'}}`, '20261121'],
  [`{{commit_date 'YYYY-MM-DD'}}`, '2026-01-02'],
  [`{{ date "YYYY" }}-{{commit_date '[d]D' tz="UTC"}}-{{branch}}`, '2026-d2-a<b>&"c"'],
  [`{{#if branch}}{{date 'YYYYMMDD' tz='Europe/Paris'}}{{/if}}`, '20261121'],
  ['{{#if tag}}tagged{{else}}{{branch}}{{/if}}', 'a<b>&"c"'],
  ['{{#if major}}{{major}}{{/if}}', ''],
  ['{{#unless tag}}none{{/unless}}', 'none'],
  ['{{{branch}}}', 'a<b>&"c"'],
  ['a{{! a comment }}b', 'ab'],
  ['\\{{branch}}', '{{branch}}'],
  ['$& $1 {{branch}}', '$& $1 a<b>&"c"'],
])('%s', async (template, expected) => {
  expect(await render(template)).toBe(expected);
});

test.each(['{{brnch}}-x', '{{#if tag}}{{/if}}{{brnch}}-x'])(
  'a name that is not known in %s stands for nothing, and is told with the nearest that is',
  async (template) => {
    const unknown: string[] = [];
    expect(await render(template, unknown)).toBe('-x');
    expect(unknown).toEqual(['brnch, near branch']);
  },
);

test.each([
  ['{{date}}', 'takes one format and tz'],
  [`{{date 'YYYY' zone='UTC'}}`, 'takes one format and tz'],
  [`{{dat 'YYYY'}}`, 'is no helper; there are date and commit_date'],
  [`{{date 'YYYY' tz='Mars/X'}}`, 'is no time zone'],
  ['{{#if}', 'is no template'],
  ['{{branch', 'is no template'],
])('%s is refused', async (template, message) => {
  await expect(render(template)).rejects.toThrow(message);
});

test.each(['{{constructor}}', '{{__proto__}}', '{{toString}}', '{{#with this}}{{constructor.name}}{{/with}}'])(
  '%s reaches nothing of the language below',
  async (template) => {
    expect(await render(template)).toBe('');
  },
);

test('a mention is found only inside of braces', () => {
  expect(mentions([`x{{commit_date 'X'}}`], 'commit_date')).toBe(true);
  expect(mentions(['commit_date', '{{date}}'], 'commit_date')).toBe(false);
});
