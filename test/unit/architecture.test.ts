import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const source = path.join(root, 'src');
/** What every subject may use. */
const FOUNDATION = ['runner', 'net'];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly file: string;
}

/** `core/images` or `actions/build-matrix`, of a file below src. */
const partOf = (file: string): string => file.split(path.sep).slice(0, 2).join('/');

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports: readonly Import[] = files.flatMap((file) =>
  [...readFileSync(path.join(source, file), 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(
    ([, target = '']) => ({
      from: partOf(file),
      to: partOf(path.normalize(path.join(path.dirname(file), target))),
      file,
    }),
  ),
);
const across = imports.filter(({ from, to }) => from !== to);

const page = readFileSync(path.join(root, 'docs/architecture.md'), 'utf8');

test('every folder of src/core is a subject that docs/architecture.md tells of, and no other is', () => {
  const folders = readdirSync(path.join(source, 'core'));
  const told = [...page.matchAll(/^\| `([a-z]+)` +\|/gm)].map(([, subject]) => subject);
  expect(told.toSorted()).toEqual(folders.toSorted());
});

describe('imports', () => {
  test('of a subject lead to no action, and of an action to no other', () => {
    const wrong = across.filter(({ from, to }) => to.startsWith('actions/') && /^(?:core|actions)\//.test(from));
    expect(wrong).toEqual([]);
  });

  test('of what all subjects stand on lead to none of them', () => {
    const wrong = across.filter(
      ({ from, to }) => from === 'core/runner' || (from === 'core/net' && to !== 'core/runner'),
    );
    expect(wrong).toEqual([]);
  });

  test('between subjects are the arrows in the picture of docs/architecture.md', () => {
    const [, picture = ''] = page.split('flowchart TD\n');
    const drawn = [...picture.matchAll(/^ {2}(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} --> ${to}`);
    const subjects = across.flatMap(({ from, to }) => {
      const [one = '', other = ''] = [from, to].map((part) => part.replace('core/', ''));
      const isBetween = from.startsWith('core/') && to.startsWith('core/') && !FOUNDATION.includes(other);
      return isBetween ? [`${one} --> ${other}`] : [];
    });
    expect(drawn.toSorted()).toEqual([...new Set(subjects)].sort());
  });

  test('between subjects make no circle', () => {
    const next = (part: string): readonly string[] => across.flatMap(({ from, to }) => (from === part ? [to] : []));
    for (const start of new Set(across.map(({ from }) => from))) {
      const reached = new Set<string>();
      const visit = (part: string): void => {
        for (const to of next(part)) {
          if (reached.has(to)) continue;
          reached.add(to);
          visit(to);
        }
      };
      visit(start);
      expect(reached, `${start} imports itself in a circle`).not.toContain(start);
    }
  });
});
