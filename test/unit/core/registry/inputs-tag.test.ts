import { expect, test } from 'vitest';
import {
  findByInputs,
  INPUTS_LABEL,
  inputsTag,
  isInputsTag,
  nameByInputs,
  readInputsDigest,
} from '../../../../src/core/registry/inputs-tag.ts';
import { isTag } from '../../../../src/core/registry/reference.ts';
import { createRegistryClient } from '../../../../src/core/registry/registry-client.ts';
import { makeImage, makeIndex, makeLayer } from './oci-layout.ts';
import { startRegistry } from './registry-server.ts';
import { storeIndex } from './store-index.ts';

const INPUTS = '0123456789abcdef'.repeat(4);

test('the tag is made of the first half of the digest, and is one that registries take', () => {
  const tag = inputsTag(INPUTS);
  expect(tag).toBe('inputs-0123456789abcdef0123456789abcdef');
  expect([isTag(tag), isInputsTag(tag), isInputsTag('inputs-1'), isInputsTag(`${tag}0`)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test.each(['', 'x', INPUTS.toUpperCase(), `${INPUTS}0`])('%j is no digest of inputs', (inputs) => {
  expect(() => inputsTag(inputs)).toThrow('is no SHA-256');
});

test('an image is found by its inputs once it was named by them, and says itself what they are', async () => {
  await using registry = await startRegistry();
  const client = createRegistryClient();
  const repository = { registry: registry.host, name: 'acme/app' };
  const image = makeImage([await makeLayer([{ name: 'f', content: 'x' }])], 'linux/amd64', { [INPUTS_LABEL]: INPUTS });
  const digest = storeIndex(registry, 'acme/app', makeIndex([image], { withAttestations: true }));
  expect(await findByInputs(client, repository, INPUTS)).toBeUndefined();

  const manifest = await client.findManifest(repository, digest);
  if (manifest === undefined) throw new Error('it was stored');
  expect(await nameByInputs(client, repository, INPUTS, manifest)).toBe(true);
  expect(await findByInputs(client, repository, INPUTS)).toBe(digest);
  expect(await readInputsDigest(client, repository, manifest)).toBe(INPUTS);
});

test('of two images of the same inputs the first keeps the tag', async () => {
  await using registry = await startRegistry();
  const client = createRegistryClient();
  const repository = { registry: registry.host, name: 'acme/app' };
  const made = [];
  for (const content of ['one', 'other']) {
    const digest = storeIndex(
      registry,
      'acme/app',
      makeIndex([makeImage([await makeLayer([{ name: 'f', content }])])]),
    );
    const manifest = await client.findManifest(repository, digest);
    if (manifest !== undefined) made.push(await nameByInputs(client, repository, INPUTS, manifest));
  }
  expect(made).toEqual([true, false]);
});
