import { describe, expect, it } from 'vitest';
import { expandContext } from '../../../../src/core/buildkit/default-context.ts';
import { sourceLabels } from '../../../../src/core/buildkit/source-labels.ts';

const event = {
  name: 'push',
  ref: 'refs/heads/main',
  sha: 'c'.repeat(40),
  repository: 'Acme/App',
  actor: '',
  workflow: '',
  job: '',
  runId: '',
  runAttempt: 1,
  serverUrl: 'https://github.example',
  apiUrl: '',
  graphqlUrl: '',
  payload: {},
};

describe('where an image comes from', () => {
  it('is told by labels of OCI’s, with the time of the commit and not of the build', () => {
    expect(sourceLabels({ ...event, commitTime: 1_700_000_000, title: 'web', inputs: 'abc' })).toEqual({
      'org.opencontainers.image.title': 'web',
      'org.opencontainers.image.source': 'https://github.example/Acme/App',
      'org.opencontainers.image.revision': 'c'.repeat(40),
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
      'dev.slipway.inputs': 'abc',
    });
  });

  it('is told as far as it is known', () => {
    const nothing = { ...event, repository: '', sha: '', commitTime: undefined, title: undefined, inputs: '' };
    expect(sourceLabels(nothing)).toEqual({});
  });
});

describe('the default context', () => {
  const COMMIT = `https://github.example/Acme/App.git#${event.sha}`;
  it.each([
    ['{{defaultContext}}', {}, COMMIT],
    ['{{ defaultContext }}:web', {}, `${COMMIT}:web`],
    ['{{defaultContext}}', { ref: 'refs/pull/5/merge' }, 'https://github.example/Acme/App.git#refs/pull/5/merge'],
    ['{{defaultContext}}', { sha: '' }, 'https://github.example/Acme/App.git#refs/heads/main'],
    ['./web', {}, './web'],
  ])('in %s of %j is %s', (text, change, expected) => {
    expect(expandContext(text, { ...event, ...change })).toBe(expected);
  });
});
