import { ConfigurationError } from '../runner/errors.ts';

/** Where a signature gets its certificate, and the proof of when it was made. */
export interface SigstoreInstance {
  readonly fulcio: string;
  /** The transparency log; undefined where signatures are not made public. */
  readonly rekor: string | undefined;
  /** The timestamp authority; undefined where the log's time is enough. */
  readonly tsa: string | undefined;
}

/** The public instance: what it signs stands in a log that everybody reads. */
const PUBLIC: SigstoreInstance = {
  fulcio: 'https://fulcio.sigstore.dev',
  rekor: 'https://rekor.sigstore.dev',
  tsa: undefined,
};

/**
 * The instance that GitHub's own `actions/attest` uses: the public one for public repositories; for all others GitHub's,
 * which tells nobody. An enterprise's tenant (`acme.ghe.com`) has its own.
 */
export function githubInstance(isPublic: boolean, serverUrl: string): SigstoreInstance {
  if (isPublic) return PUBLIC;
  const host = new URL(serverUrl).host;
  const home = host === 'github.com' ? 'githubapp.com' : host;
  return { fulcio: `https://fulcio.${home}`, rekor: undefined, tsa: `https://timestamp.${home}` };
}

/**
 * An instance of the user's own, as `fulcio`, `rekor` and `tsa` with their addresses; undefined when none is given. Throws
 * ConfigurationError for addresses that are none, and for too few of them.
 */
export function readInstance(given: ReadonlyMap<string, string>): SigstoreInstance | undefined {
  if (given.size === 0) return undefined;
  const unknown = [...given.keys()].find((name) => !['fulcio', 'rekor', 'tsa'].includes(name));
  if (unknown !== undefined) throw new ConfigurationError(`"${unknown}" is none of fulcio=…, rekor=… and tsa=…`);
  const address = (name: string): string | undefined => {
    const text = given.get(name);
    const url = text === undefined ? undefined : URL.parse(text);
    if (url === null || (url !== undefined && !/^https?:$/.test(url.protocol)))
      throw new ConfigurationError(`"${name}=${text}" is no address; write ${name}=https://…`);
    return text?.replace(/\/+$/, '');
  };
  const [fulcio, rekor, tsa] = [address('fulcio'), address('rekor'), address('tsa')];
  if (fulcio === undefined) throw new ConfigurationError('"fulcio=…" is missing: it gives the certificate');
  if (rekor === undefined && tsa === undefined)
    throw new ConfigurationError('give "rekor=…" or "tsa=…": without one nobody knows when the signature was made');
  return { fulcio, rekor, tsa };
}
