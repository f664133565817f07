/**
 * How bad a finding is.
 *
 * - `mismatch`: the file is not the one expected, or is not whole; fails always.
 * - `dangerous`: loading the file runs code.
 * - `suspicious`: nothing shows that loading the file is harmless; what cannot be followed to its end is one of these.
 * - `note`: worth knowing, and no reason to fail: the same weights twice.
 */
export type Severity = 'mismatch' | 'dangerous' | 'suspicious' | 'note';

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
export const MODEL_FORMATS = [
  'safetensors',
  'gguf',
  'onnx',
  'tflite',
  'keras',
  'hdf5',
  'saved-model',
  'tensorflow-graph',
  'pytorch',
  'pytorch-legacy',
  'pytorch-tar',
  'torchscript',
  'pickle',
  'numpy',
  'zip',
  'tar',
  'json',
] as const;

export type ModelFormat =
  | (typeof MODEL_FORMATS)[number]
  | 'compressed'
  | 'git-lfs-pointer'
  | 'html'
  | 'empty'
  | 'unknown';

/** The format of a file as it is told: that of one which is not there is `missing`; folders are told of where they fail. */
export type ModelState = ModelFormat | 'missing' | 'folder';

/** A file that a loader reads with a model, and how many bytes the model says that it has at least. */
export interface Reference {
  readonly path: string;
  readonly bytes: number;
}

/** What was read from a file, besides its digest. */
export interface FormatReport<Format = ModelFormat> {
  readonly format: Format;
  readonly tensors?: number;
  readonly parameters?: number;
  /** Files beside this one that a loader reads with it (external data of ONNX), as the model names them. */
  readonly references?: readonly Reference[];
  readonly findings: readonly ModelFinding[];
}
