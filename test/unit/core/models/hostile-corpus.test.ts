import { describe, expect, test } from 'vitest';
import { bufferSource } from '../../../../src/core/models/byte-source.ts';
import { readModel } from '../../../../src/core/models/read-model.ts';
import { DANGEROUS_NAMES_SEEN } from './corpus/dangerous-names.ts';
import { HOSTILE_ARCHIVES } from './corpus/hostile-archives.ts';
import { HOSTILE_ARRAYS } from './corpus/hostile-arrays.ts';
import { HOSTILE_GRAPHS } from './corpus/hostile-graphs.ts';
import { HOSTILE_HEADERS } from './corpus/hostile-headers.ts';
import { HOSTILE_KERAS } from './corpus/hostile-keras.ts';
import { HOSTILE_PICKLES } from './corpus/hostile-pickles.ts';
import { HOSTILE_PYTORCH } from './corpus/hostile-pytorch.ts';
import { HOSTILE_TEMPLATES } from './corpus/hostile-templates.ts';
import { KNOWN_BYPASSES } from './corpus/known-bypasses.ts';
import { CALL, op, pickle } from './generators/pickle.ts';

const findingsOf = (bytes: Buffer) => readModel(bufferSource(bytes), new Set()).findings;

const CORPUS = {
  pickles: HOSTILE_PICKLES,
  'arrays and compressions': HOSTILE_ARRAYS,
  PyTorch: HOSTILE_PYTORCH,
  archives: HOSTILE_ARCHIVES,
  Keras: HOSTILE_KERAS,
  graphs: HOSTILE_GRAPHS,
  'templates and configurations': HOSTILE_TEMPLATES,
  'headers that lie': HOSTILE_HEADERS,
} as const;

describe('an import that runs code is dangerous, whatever way it is written', () => {
  const ways = {
    GLOBAL: (module: string, name: string) => pickle(op.proto(2), op.global(module, name), ...CALL),
    STACK_GLOBAL: (module: string, name: string) =>
      pickle(op.proto(4), op.text(module), op.text(name), op.stackGlobal, ...CALL),
    INST: (module: string, name: string) => pickle(op.mark, op.string('id'), op.inst(module, name), op.stop),
  } as const;
  describe.each(Object.entries(ways))('%s', (_, write) => {
    test.each(DANGEROUS_NAMES_SEEN)('%s.%s', (module, name) => {
      const [finding] = findingsOf(write(module, name)).filter(({ rule }) => rule === 'pickle-import');
      // `uuid` has harmless names beside this one, so that it is not known to be dangerous as a whole.
      expect(finding).toMatchObject({
        severity: module === 'uuid' || module === 'torch.jit.unsupported_tensor_ops' ? 'suspicious' : 'dangerous',
      });
      expect(finding?.message).toContain(`${module}.${name}`);
      expect(finding?.offset).toBeTypeOf('number');
    });
  });
});

/** Rules whose findings are of a file or of a configuration as a whole. */
const WITHOUT_PLACE = new Set([
  'format',
  'compression',
  'polyglot',
  'zip',
  'keras',
  'keras-layer',
  'remote-code',
  'tar',
]);

describe.each(Object.entries(CORPUS))('what hides is found: %s', (_, samples) => {
  test.each(samples)('%s', (_, bytes, expected) => {
    const findings = findingsOf(bytes);
    expect(findings).toContainEqual(expect.objectContaining(expected));
    // A reason that people can read, and a place: a byte of the file, or an entry of an archive.
    for (const { message, rule, offset, entry } of findings) {
      expect(message.length).toBeGreaterThan(10);
      expect(offset !== undefined || entry !== undefined || WITHOUT_PLACE.has(rule), `${rule}: ${message}`).toBe(true);
    }
  });
});

describe('the corpus holds what it must', () => {
  const names = new Set(Object.values(CORPUS).flatMap((samples) => samples.map(([name]) => name)));
  const imports = new Set(DANGEROUS_NAMES_SEEN.map(([module, name]) => `${module}.${name}`));

  test.each(KNOWN_BYPASSES)('%s, by the sample %s', (_, sample) => {
    expect(names.has(sample) || imports.has(sample)).toBe(true);
  });

  test('and at least sixty files of our own devising', () => {
    const borrowed = new Set(KNOWN_BYPASSES.map(([, sample]) => sample));
    expect([...names].filter((name) => !borrowed.has(name)).length).toBeGreaterThanOrEqual(60);
    expect(names.size).toBe(Object.values(CORPUS).flat().length);
  });
});
