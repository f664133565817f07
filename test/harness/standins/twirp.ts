import { type Answer, jsonAnswer } from './listening-server.ts';

/** Twirp's error codes and the HTTP status of each (twitchtv.github.io/twirp/docs/spec_v7.html#error-codes). */
const STATUS_OF_CODE = {
  already_exists: 409,
  bad_route: 404,
  invalid_argument: 400,
  malformed: 400,
  not_found: 404,
  permission_denied: 403,
  resource_exhausted: 429,
  unauthenticated: 401,
} as const;

export type TwirpCode = keyof typeof STATUS_OF_CODE;

export class TwirpError extends Error {
  readonly code: TwirpCode;
  constructor(code: TwirpCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function twirpErrorAnswer({ code, message }: TwirpError): Answer {
  return jsonAnswer({ code, msg: message }, STATUS_OF_CODE[code]);
}

/** A request's fields as Protobuf's JSON mapping reads them: either case of a name, integers as text or number, null for absent. */
export interface TwirpMessage {
  readonly text: (name: string) => string;
  readonly texts: (name: string) => readonly string[];
  readonly integer: (name: string) => number | undefined;
}

export function parseTwirpMessage(body: string): TwirpMessage {
  const fields = new Map<string, unknown>();
  for (const [name, value] of Object.entries(parseObject(body))) {
    if (value !== null) fields.set(snakeCase(name), value);
  }
  const text = (name: string) => {
    const value = fields.get(name) ?? '';
    if (typeof value !== 'string') throw wrongType(name, 'a string');
    return value;
  };
  return {
    text,
    texts: (name) => {
      const value: unknown = fields.get(name) ?? [];
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw wrongType(name, 'strings');
      return value;
    },
    integer: (name) => {
      const value = fields.get(name);
      if (value === undefined) return undefined;
      const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw wrongType(name, 'an integer');
      return number;
    },
  };
}

function parseObject(body: string): object {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new TwirpError('malformed', `the json request could not be decoded: ${String(cause)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TwirpError('malformed', 'the json request could not be decoded: not an object');
  }
  return value;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function wrongType(name: string, expected: string): TwirpError {
  return new TwirpError('malformed', `the json request could not be decoded: ${name} must be ${expected}`);
}
