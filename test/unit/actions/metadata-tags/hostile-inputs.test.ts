import { expect, test } from 'vitest';
import { ConfigurationError } from '../../../../src/core/runner/errors.ts';
import { isLegalTag } from '../../../../src/core/tags/legal-tag.ts';
import { type MetadataResult, runMetadata } from './metadata-step.ts';

const PIECES = [
  'type=',
  'raw',
  'semver',
  'match',
  'sha',
  'ref',
  'event=branch',
  'event=tag',
  'pattern=',
  'value=',
  'enable=',
  'prefix=',
  '{{',
  '}}',
  '{{branch}}',
  '{{#if tag}}',
  '{{/if}}',
  "{{date 'YYYY' tz='",
  "'}}",
  '"',
  '""',
  ',',
  '=',
  '\n',
  '#',
  ' ',
  '(',
  '\\d+',
  '[',
  '/',
  '日本',
  '\u0000',
  '::error::x',
  '__proto__',
  'constructor',
  'latest',
  '-',
  '.',
  'v1.2.3',
  '${{ x }}',
];

test('texts of any kind in any input end in legal tags or in an error that names an input', async () => {
  let seed = 20261121;
  const next = (below: number): number => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const text = (most: number): string =>
    Array.from({ length: next(most) }, () => PIECES[next(PIECES.length)] ?? '').join('');
  let made = 0;
  for (let round = 0; round < 400; round += 1) {
    const inputs = {
      tags: `type=sha\n${text(7)}`,
      flavor: next(3) === 0 ? text(4) : '',
      labels: text(8),
      images: next(4) === 0 ? text(4) : 'ghcr.io/acme/app',
    };
    const shown = JSON.stringify(inputs);
    let result: MetadataResult;
    try {
      result = await runMetadata({ ref: `refs/heads/${text(4)}`, inputs });
    } catch (error) {
      expect(error, shown).toBeInstanceOf(ConfigurationError);
      expect(error instanceof Error ? error.message : '', shown).toMatch(
        /input "(tags|flavor|labels|images)"|two things would be written/,
      );
      continue;
    }
    made += 1;
    const names = String(result.outputs['tagNames'])
      .split('\n')
      .filter((name) => name !== '');
    expect(
      names.filter((name) => !isLegalTag(name)),
      shown,
    ).toEqual([]);
    expect(new Set(names).size, shown).toBe(names.length);
  }
  expect(made).toBeGreaterThan(40);
}, 60_000);
