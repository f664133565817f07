import { BlockList, isIP } from 'node:net';

const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  PRIVATE.addSubnet(network, bits);
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addAddress('::', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/** Not out of https, not to files, and not from the world into the network of the machine: metadata services answer there. */
export function isSafeRedirect(from: URL, to: URL): boolean {
  if (!/^https?:$/.test(to.protocol) || (from.protocol === 'https:' && to.protocol === 'http:')) return false;
  return isPrivateHost(from.hostname) || !isPrivateHost(to.hostname);
}

/** True for an address of a private network, and for the names of this machine. Other names are not looked up. */
function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (/(?:^|\.)(?:localhost|internal)$/i.test(host)) return true;
  const version = isIP(host);
  return version !== 0 && PRIVATE.check(host, version === 6 ? 'ipv6' : 'ipv4');
}
