import { describe, expect, it } from 'vitest';
import { type CacheGate, startCacheGate } from '../../../../src/core/buildkit/cache-gate.ts';
import { findGateAddress, ownAddresses } from '../../../../src/core/buildkit/gate-address.ts';
import { request } from '../../../../src/core/net/request.ts';
import { CommandError, type RunCommand } from '../../../../src/core/runner/command.ts';
import { createLog } from '../../../../src/core/runner/log.ts';

const log = createLog(() => undefined, { debug: false });
const address = (text: string, internal: boolean) => ({
  address: text,
  family: text.includes(':') ? 'IPv6' : 'IPv4',
  internal,
});

/** A builder that fetches what the Dockerfile adds, or says that it did. */
function builder(does: 'fetch' | 'pretend' | 'fail'): RunCommand {
  return async (_file, _args, options) => {
    const url = /ADD (\S+)/.exec(String(options?.input))?.[1] ?? '';
    if (does === 'fail') throw new CommandError('docker buildx exited with 1', { exitCode: 1 });
    if (does === 'fetch') await request({ url, retry: false });
    return { exitCode: 0, stdout: '', stderr: '' };
  };
}

describe('the address of the gate', () => {
  const find = (gate: CacheGate, does: 'fetch' | 'pretend' | 'fail', addresses: readonly string[]) =>
    findGateAddress(gate, 'mine', { runCommand: builder(does), env: {}, log }, addresses);

  it.each([
    ['is one at which the builder came', 'fetch', ['127.0.0.1'], '127.0.0.1'],
    ['is found beside one that leads nowhere', 'fetch', ['localhost.invalid', '127.0.0.1'], '127.0.0.1'],
    ['is none where another server answered', 'pretend', ['127.0.0.1'], undefined],
    ['is none where the build fails', 'fail', ['127.0.0.1', '127.0.0.2'], undefined],
  ] as const)('%s', async (_, does, addresses, expected) => {
    const gate = await startCacheGate({ target: 'http://127.0.0.1:9/', patience: 100, log, guests: 'any-machine' });
    expect(await find(gate, does, addresses)).toBe(expected);
    await gate.stop();
  });

  it('is sought among the machine’s own of version 4, the loopback’s first', () => {
    const interfaces = {
      lo: [address('127.0.0.1', true), address('::1', true)],
      eth0: [address('10.1.0.4', false), address('fe80::1', false)],
      docker0: [address('172.17.0.1', false)],
      more: ['10.2.0.1', '10.3.0.1', '10.4.0.1'].map((text) => address(text, false)),
    };
    expect(ownAddresses(interfaces)).toEqual(['127.0.0.1', '10.1.0.4', '172.17.0.1', '10.2.0.1']);
  });
});
