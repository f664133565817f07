import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkLinks } from '../../../scripts/docs/check-links.ts';
import { checkMessages } from '../../../scripts/docs/check-messages.ts';
import { checkSnippets } from '../../../scripts/docs/check-snippets.ts';
import { interfaceOf } from '../../../scripts/docs/interfaces.ts';

const root = path.resolve(import.meta.dirname, '../../..');

describe('links', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'slipway-links-'));
    mkdirSync(path.join(folder, 'docs'));
    writeFileSync(path.join(folder, 'docs/other.md'), '# The `one`, twice\n\n## Again\n\n## Again\n');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ['a file', '[x](docs/other.md)', undefined],
    ['a folder', '[x](docs/)', undefined],
    ['a heading', '[x](docs/other.md#the-one-twice)', undefined],
    ['a heading that comes again', '[x](docs/other.md#again-1)', undefined],
    ['its own heading', '# Here\n\n[x](#here)', undefined],
    ['the web', '[x](https://example.com/no/such/page)', undefined],
    ['nothing, in code', '`[x](missing.md)`\n\n```md\n[x](missing.md)\n```', undefined],
    ['no file', '[x](docs/missing.md)', 'the link "docs/missing.md" leads nowhere'],
    ['no file, by a reference', '[x]: docs/missing.md', 'the link "docs/missing.md" leads nowhere'],
    ['no file, by HTML', '<img src="docs/missing.png">', 'the link "docs/missing.png" leads nowhere'],
    ['no file, by a picture of the dark', '<source srcset="docs/dark.png">', 'the link "docs/dark.png" leads nowhere'],
    ['no heading', '[x](docs/other.md#again-2)', '"docs/other.md" has no heading "#again-2"'],
    ['outside', '[x](../elsewhere.md)', 'the link "../elsewhere.md" leaves the repository'],
  ])('to %s', (_, markdown, message) => {
    expect(checkLinks(folder, 'README.md', markdown).map((finding) => finding.message)).toEqual(
      message === undefined ? [] : [message],
    );
  });
});

describe('snippets', () => {
  const check = (yaml: string) =>
    checkSnippets('guide.md', `Text.\n\n\`\`\`yaml\n${yaml}\n\`\`\`\n`, (uses) => interfaceOf(root, uses));
  const step = (action: string, rest: string): string =>
    `- uses: slipway-actions/slipway/actions/${action}@v1\n${rest}`;

  test.each([
    ['a step', step('build-matrix', '  with: { base: main }'), []],
    ['the body of a job', 'permissions: { contents: read }\nsteps: [{ run: ls }]', []],
    ['a step that reads an earlier job', '- run: echo ${{ needs.plan.outputs.matrix }}', []],
    [
      'a job that needs one',
      'jobs:\n  b:\n    needs: [a]\n    runs-on: x\n    steps: [{ run: ls }]',
      [expect.stringContaining('label "x"')],
    ],
    ['other YAML', 'images:\n  api: { context: api }', []],
    ['text that is no YAML', 'a: [', [expect.stringContaining('4: no YAML')]],
    ['an unknown input', step('build-matrix', '  with:\n    bases: main'), [expect.stringContaining('6: ')]],
    [
      'an input that is missing',
      step('frontend-s3-deploy', '  with: { source: dist }'),
      [expect.stringContaining('"bucket"')],
    ],
    ['an unknown action', step('build', ''), [expect.stringContaining('there is no action "build"')]],
    ['an expression that is none', '- run: echo ${{ github.reff }}', [expect.stringContaining('reff')]],
    [
      'an unknown output',
      `${step('build-matrix', '  id: plan')}\n- run: echo \${{ steps.plan.outputs.rows }}`,
      [expect.stringContaining('the step "plan" has no output "rows"')],
    ],
    [
      'an unknown input of a workflow',
      'jobs:\n  release:\n    uses: slipway-actions/slipway/.github/workflows/release.yml@v1\n    with: { bucket: site }',
      [expect.stringContaining('has no input "bucket"')],
    ],
    ['jobs that GitHub refuses', 'jobs:\n  a:\n    steps: [{ run: ls }]', [expect.stringContaining('runs-on')]],
  ])('with %s', async (_, yaml, expected) => {
    const findings = await check(yaml);
    expect(findings.map(({ line, message }) => `${line}: ${message}`).slice(0, 1)).toEqual(expected);
  });
});

test('messages of a table must be said by the sources, around what they fill in', () => {
  const sources = 'throw new Error(`the file "${file}" is not there`)';
  const check = (message: string, head = 'message') =>
    checkMessages('t.md', `| ${head} | why |\n| --- | --- |\n| a warning, \`${message}\` | x |\n`, sources);
  expect(check('the file "…" is not there')).toEqual([]);
  expect(check('the file "…" is missing')).toEqual([{ file: 't.md', line: 3, message: 'nothing says "" is missing"' }]);
  expect(check('a name', 'input')).toEqual([]);
});
