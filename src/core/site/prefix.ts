import { ConfigurationError } from '../runner/errors.ts';

/**
 * A prefix as keys begin with it: empty, or with a slash at its end and none at its start.
 *
 * Throws ConfigurationError for one that no URL could reach.
 */
export function parsePrefix(text: string): string {
  const prefix = text.replace(/^\/+|\/+$/g, '');
  const segments = prefix.split('/');
  const isPlain = !/[\u0000-\u001F\u007F\\]/.test(prefix) && prefix.isWellFormed() && prefix.length <= 512;
  if (prefix !== '' && (!isPlain || segments.some((segment) => ['', '.', '..', '.slipway'].includes(segment)))) {
    throw new ConfigurationError(`${JSON.stringify(text)} is no prefix; write a folder such as app or app/v2`);
  }
  return prefix === '' ? '' : `${prefix}/`;
}
