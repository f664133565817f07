import { ConfigurationError } from '../runner/errors.ts';

/** A distribution's id. Throws ConfigurationError. */
export function parseDistributionId(text: string): string {
  if (/^[A-Z0-9]{6,32}$/.test(text)) return text;
  throw new ConfigurationError(`${JSON.stringify(text)} is no distribution's id; it looks like E1A2B3C4D5E6F7`);
}

/** A domain name that is a distribution's alias. Throws ConfigurationError. */
export function parseDistributionAlias(text: string): string {
  if (/^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i.test(text)) return text;
  throw new ConfigurationError(`${JSON.stringify(text)} is no domain name; write one such as www.example.com`);
}
