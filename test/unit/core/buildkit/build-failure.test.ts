import { describe, expect, it } from 'vitest';
import { failureKind, readFailure } from '../../../../src/core/buildkit/build-failure.ts';

describe('a failed build', () => {
  it('is known by its error and its place in the Dockerfile', () => {
    const text = [
      'Dockerfile.gpu:4',
      '--------------------',
      '   3 |     FROM deps as builder',
      '   4 | >>> RUN a && \\',
      '   5 | >>>   exit 4',
      '   6 |     FROM deps',
      '--------------------',
      'ERROR: target app: failed to solve: process "/bin/sh -c a" did not complete successfully: exit code: 4',
    ].join('\n');
    expect(readFailure(text, [])).toEqual({
      message: 'process "/bin/sh -c a" did not complete successfully: exit code: 4',
      step: undefined,
      file: 'Dockerfile.gpu',
      line: 4,
      endLine: 5,
      kind: 'step',
    });
  });

  it('has a message even when buildx printed none', () => {
    expect(readFailure('', []).message).toBe('the build printed no reason');
  });

  it.each([
    ['process "curl" did not complete successfully: exit code: 7', 'step'],
    ['dockerfile parse error on line 2: unknown instruction: RUNN', 'step'],
    ['failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp: i/o timeout', 'network'],
    ['failed to copy: httpReadSeeker: failed open: unexpected status code 503 Service Unavailable', 'network'],
    ['failed to push ghcr.io/a/b: unexpected status from POST request: 429 Too Many Requests', 'network'],
    ['failed to configure gha cache exporter: invalid token without expiration time', 'cache'],
    ['failed to push ghcr.io/a/b: denied: permission_denied: write_package', 'other'],
    ['failed to compute cache key: "/nope": not found', 'other'],
    ['127.0.0.1:5000/nope:1: not found', 'other'],
  ])('%s is a fault of kind %s', (message, kind) => {
    expect(failureKind(message)).toBe(kind);
  });
});
