import { fieldOf } from '../../runner/event.ts';

/**
 * What model-signing 0.2 wrote before the format was settled: digests as subjects of the statement, and a signature by a
 * key over an encoding that is not DSSE's. Source: OpenSSF Model Signing 1.0, sections 5.1 and 11; the bundle that the
 * reference implementation keeps of that version.
 */
export const OLD_PREDICATE = 'https://model_signing/Digests/v0.1';

const MAX_SUBJECTS = 1_000_000;

/** True for the payload of such a signature. */
export function isVersion02(payload: Buffer): boolean {
  return /"predicateType":\s*"https:\/\/model_signing\/Digests\/v0\.1"/.test(payload.toString('latin1'));
}

/** The bytes that its signatures by a key or a certificate cover, with SHA-256 whatever the key: bytes as Python prints them. */
export function encodeVersion02({
  payloadType,
  payload,
}: {
  readonly payloadType: string;
  readonly payload: Buffer;
}): Buffer {
  const head = `DSSEV1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.from(head + printedByPython(payload), 'latin1');
}

/** The files and their SHA-256 in hex that such a statement lists as its subjects. `refuse` throws. */
export function readSubjects(
  subjects: unknown,
  refuse: (why: string) => never,
): readonly { readonly name: string; readonly digest: string }[] {
  if (!Array.isArray(subjects) || subjects.length === 0 || subjects.length > MAX_SUBJECTS)
    return refuse('it lists no files');
  return subjects.map((subject: unknown) => {
    const name = fieldOf(subject, 'name');
    const digest = fieldOf(subject, 'digest', 'sha256');
    const algorithm = fieldOf(subject, 'annotations', 'actual_hash_algorithm') ?? 'file-sha256';
    if (algorithm !== 'file-sha256')
      return refuse(`a file of it was hashed as ${JSON.stringify(algorithm).slice(0, 80)}`);
    if (typeof name !== 'string' || typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest))
      return refuse('a file of it has no name or no SHA-256');
    return { name, digest };
  });
}

/** Python's `repr` of bytes (CPython's Objects/bytesobject.c, PyBytes_Repr). */
function printedByPython(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
  const printed = text.replace(/[^ -~]|[\\'"]/g, (sign) => {
    if (sign === "'" || sign === '"') return sign === quote ? `\\${sign}` : sign;
    return escapes[sign] ?? `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `b${quote}${printed}${quote}`;
}
