/** A file that must not pass: its name, its bytes, and the finding that must come of it. */
export type HostileSample = readonly [name: string, bytes: Buffer, expected: object];

/** A file as a framework writes it: its name, its bytes, its format, and what else the report must say. */
export type BenignSample = readonly [name: string, bytes: Buffer, format: string, more?: object];
