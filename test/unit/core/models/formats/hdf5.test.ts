import { describe, expect, test } from 'vitest';
import { bufferSource } from '../../../../../src/core/models/byte-source.ts';
import { readModel } from '../../../../../src/core/models/read-model.ts';
import { hdf5 } from '../generators/hdf5.ts';

const findingsOf = (bytes: Buffer) => readModel(bufferSource(bytes), new Set());
const config = (className: string): string =>
  JSON.stringify({ class_name: className, config: { name: 'n', layers: [] } });
const others = (count: number, length: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, 'z'.repeat(length)]));

describe('the configuration of a model is found wherever HDF5 keeps it', () => {
  test.each([
    ['in the header', 2, 20],
    ['in one block of dense storage', 12, 20],
    ['in rows of blocks, behind an index of two levels', 400, 60],
    ['in rows of rows of blocks', 3000, 200],
    ['beside objects too large for blocks', 12, 70_000],
  ])('%s', async (_, count, length) => {
    const write = (className: string) => hdf5({ ...others(count, length), model_config: config(className) }, 'latest');
    expect(findingsOf(await write('Sequential'))).toMatchObject({ format: 'keras', findings: [] });
    expect(findingsOf(await write('Lambda')).findings).toMatchObject([{ severity: 'dangerous', rule: 'keras-layer' }]);
  });

  test('and as an object that is too large for blocks itself', async () => {
    const padded = config('Lambda').replace('}', ' '.repeat(100_000).concat('}'));
    expect(findingsOf(await hdf5({ model_config: padded }, 'latest')).findings).toMatchObject([
      { severity: 'dangerous' },
    ]);
  });
});

describe('dense storage that cannot be followed is a finding, never a pass', () => {
  const damage = ['FRHP', 'BTHD', 'BTLF'] as const;
  test.each(damage)('%s', async (signature) => {
    const bytes = await hdf5({ ...others(12, 20), model_config: config('Lambda') }, 'latest');
    bytes.write('XXXX', bytes.indexOf(signature));
    expect(findingsOf(bytes).findings).toMatchObject([{ severity: 'suspicious', rule: 'hdf5' }]);
  });
});
