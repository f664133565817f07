import { expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../core/git/temporary-repository.ts';
import { runPlan } from './plan-step.ts';

const FILES: Files = {
  '.github/images.yml': 'images:\n  a:\n    context: a\n',
  'a/Dockerfile': 'FROM nvidia/cuda:12\n',
};
const QEMU = {
  '.github/workflows/w.yml':
    'on: push\njobs: { a: { steps: [{ uses: docker/setup-qemu-action@v3 }, { uses: acme/slipway/actions/build-matrix@v1 }] } }\n',
};

it.each<[string, Files, Record<string, string>, string | undefined]>([
  ['the built-in runners', {}, { platforms: 'linux/amd64,linux/arm64' }, undefined],
  [
    'an architecture without emulation',
    {},
    { platforms: 'linux/s390x' },
    'no runner serves a for linux/s390x: ubuntu-24.04 does not run s390x',
  ],
  ['an architecture with emulation', QEMU, { platforms: 'linux/s390x' }, undefined],
  [
    'Arm on a runner that is none',
    {},
    { platforms: 'linux/arm64', runners: 'linux/arm64=ubuntu-24.04' },
    'ubuntu-24.04 does not run arm64',
  ],
  ['an own runner, which may be anything', {}, { platforms: 'linux/s390x', runners: 'default=mainframe' }, undefined],
  ['Windows', {}, { platforms: 'windows/amd64' }, 'ubuntu-24.04 makes no windows containers'],
  [
    'what no container is made for',
    {},
    { platforms: 'darwin/arm64' },
    'containers are made for linux or windows, not for darwin',
  ],
  ['an empty label', {}, { runners: 'a=' }, 'no runner serves a for linux/amd64: its label is empty'],
  [
    'a label that no row asks for',
    {},
    { runners: 'gpuu=x\ngpu=y' },
    '"runners" names gpuu, which is no image, variant, platform or row here',
  ],
])('rows that no runner serves are found: %s', async (_, files, inputs, expected) => {
  await using repository = await TemporaryRepository.create({ ...FILES, ...files });
  const { log } = await runPlan(repository, { inputs });
  const lines = log.split('\n').filter((line) => line.includes('title=Runner'));
  expect(lines).toEqual(expected === undefined ? [] : [expect.stringContaining(expected)]);
  if (expected !== undefined) expect(lines[0]).toContain('file=.github/images.yml,line=2');
});

it('a row on a GPU base image takes the label of "gpu", whatever its variant is called', async () => {
  await using repository = await TemporaryRepository.create(FILES);
  const { rows } = await runPlan(repository, { inputs: { runners: 'gpu=gpu-large' } });
  expect(rows.map(({ runner }) => runner)).toEqual(['gpu-large']);
});
