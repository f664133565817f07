import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { defaultRules } from '../../../../src/core/tags/default-rules.ts';
import { refFactsOf } from '../../../../src/core/tags/facts.ts';
import { runMetadata } from './metadata-step.ts';

const readme = readFileSync(join(import.meta.dirname, '../../../../actions/metadata-tags/README.md'), 'utf8');

/** The fenced blocks of a section. */
function blocksOf(section: string): readonly string[] {
  const text = readme.split('\n## ').find((part) => part.startsWith(section)) ?? '';
  return [...text.matchAll(/```\w*\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
}

test('the first usage of the README works as it stands', async () => {
  const [first = ''] = blocksOf('Usage');
  const [step] = parse(first);
  const texts = Object.entries<unknown>(step.with).map(([name, value]): [string, string] => [
    name,
    String(value)
      .replaceAll('${{ github.repository }}', 'acme/app')
      .replaceAll(/\$\{\{ github\.event_name.*?\}\}/g, 'false'),
  ]);
  const { outputs } = await runMetadata({ ref: 'refs/tags/v1.2.3', inputs: Object.fromEntries(texts) });
  expect(String(outputs['tags']).split('\n')).toEqual(
    ['1.2.3', '1.2', 'sha-860c190', 'latest'].map((tag) => `ghcr.io/acme/app:${tag}-alpine-gpu`),
  );
});

test("the suite's own rules are those of the README", () => {
  const [rules] = blocksOf("The suite's own rules");
  expect(rules?.trim()).toBe(defaultRules({ ref: refFactsOf('refs/tags/v1.2.3') }));
});
