/**
 * How bad a finding is.
 *
 * - `mismatch`: the file is not the one expected, or is not whole; fails always.
 * - `dangerous`: loading the file runs code.
 * - `suspicious`: nothing shows that loading the file is harmless; what cannot be followed to its end is one of these.
 */
export type Severity = 'mismatch' | 'dangerous' | 'suspicious';

/** Something found in a model file. `entry` is the path inside an archive, `offset` counts bytes from its start. */
export interface ModelFinding {
  readonly severity: Severity;
  /** A stable short name, the rule of the SARIF report: `pickle-import`. */
  readonly rule: string;
  readonly message: string;
  readonly entry?: string;
  readonly offset?: number;
}

/** The format of a model file, by its content. */
export type ModelFormat =
  | 'safetensors'
  | 'gguf'
  | 'pytorch'
  | 'pytorch-legacy'
  | 'pickle'
  | 'numpy'
  | 'zip'
  | 'git-lfs-pointer'
  | 'html'
  | 'empty'
  | 'unknown';

/** What was read from a file, besides its digest. */
export interface FormatReport {
  readonly format: ModelFormat;
  readonly tensors?: number;
  readonly parameters?: number;
  readonly findings: readonly ModelFinding[];
}
