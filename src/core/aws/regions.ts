import { ConfigurationError } from '../runner/errors.ts';

/** A separate AWS: its own accounts, addresses and ARNs. */
export interface Partition {
  readonly name: string;
  readonly dnsSuffix: string;
}

const PARTITIONS: readonly (Partition & { readonly regions: RegExp })[] = [
  { name: 'aws-cn', dnsSuffix: 'amazonaws.com.cn', regions: /^cn-/ },
  { name: 'aws-us-gov', dnsSuffix: 'amazonaws.com', regions: /^us-gov-/ },
  { name: 'aws-iso', dnsSuffix: 'c2s.ic.gov', regions: /^us-iso-/ },
  { name: 'aws-iso-b', dnsSuffix: 'sc2s.sgov.gov', regions: /^us-isob-/ },
  { name: 'aws-iso-e', dnsSuffix: 'cloud.adc-e.uk', regions: /^eu-isoe-/ },
  { name: 'aws-iso-f', dnsSuffix: 'csp.hci.ic.gov', regions: /^us-isof-/ },
  { name: 'aws-eusc', dnsSuffix: 'amazonaws.eu', regions: /^eusc-/ },
];

/** The partition of a region, by the prefixes of the SDK's `partitions.json`; `aws` for every other. */
export function partitionOf(region: string): Partition {
  return PARTITIONS.find(({ regions }) => regions.test(region)) ?? { name: 'aws', dnsSuffix: 'amazonaws.com' };
}

/** A region's name. S3-compatible stores have their own, such as `auto` or `fr-par`. Throws ConfigurationError. */
export function parseRegion(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/i.test(text)) return text;
  throw new ConfigurationError(`${JSON.stringify(text)} is no region; write one such as eu-central-1`);
}

/** An `http(s)://host[:port][/path]` of a service, without a slash at its end. Throws ConfigurationError. */
export function parseEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url === undefined || !isPlain || !/^https?:$/.test(url.protocol)) {
    throw new ConfigurationError(`${JSON.stringify(text)} is no endpoint; write one such as https://s3.example.com`);
  }
  return url.href.replace(/\/+$/, '');
}
