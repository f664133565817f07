/** Hides secrets in text as the runner does: every secret, its lines, and its usual encodings become `***`. */

export interface SecretMasker {
  /** Adds a secret and each of its lines. Blank text is refused, as the runner refuses it: returns false. */
  add(secret: string): boolean;
  mask(text: string): string;
  contains(text: string): boolean;
  /** The secrets as they were added. */
  readonly secrets: readonly string[];
}

export function createSecretMasker(initial: Iterable<string> = []): SecretMasker {
  const secrets: string[] = [];
  const hidden = new Set<string>();
  const add = (secret: string): boolean => {
    if (secret.trim() === '') return false;
    secrets.push(secret);
    const lines = secret.split(/[\r\n]+/).filter((line) => line.trim() !== '');
    for (const part of [secret, ...lines]) for (const form of encodings(part)) hidden.add(form);
    return true;
  };
  for (const secret of initial) add(secret);
  return {
    add,
    secrets,
    contains: (text) => [...hidden].some((secret) => text.includes(secret)),
    mask: (text) => maskRanges(text, secretRanges(text, hidden)),
  };
}

/** The forms in which a secret may reach a log: plain, JSON, URI, XML and base64 at each of the three alignments. */
function encodings(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  ];
  for (const shift of [0, 1, 2]) {
    // Whole groups of three bytes alone: the last characters depend on what follows the secret.
    const encoded = bytes.subarray(shift).toString('base64');
    const stable = encoded.slice(0, Math.floor((bytes.length - shift) / 3) * 4);
    if (stable.length >= 8) forms.push(stable);
  }
  return forms;
}

function secretRanges(text: string, secrets: Iterable<string>): [number, number][] {
  const ranges: [number, number][] = [];
  for (const secret of secrets) {
    for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1))
      ranges.push([at, at + secret.length]);
  }
  return ranges.sort((left, right) => left[0] - right[0]);
}

/** Overlapping and touching ranges become one `***`, so that no length of a part shows. */
function maskRanges(text: string, ranges: readonly (readonly [number, number])[]): string {
  let result = '';
  let position = 0;
  let maskedTo = -1;
  for (const [start, end] of ranges) {
    if (start > maskedTo) result += `${text.slice(position, start)}***`;
    maskedTo = Math.max(maskedTo, end);
    position = maskedTo;
  }
  return result + text.slice(position);
}
