import type { ModelFinding, ModelFormat } from './model-finding.ts';

/** The formats that a file's name promises to its loader. Names that promise nothing (`.bin`, `.dat`) are not in here. */
const PROMISED: readonly (readonly [name: RegExp, formats: readonly ModelFormat[]])[] = [
  [/\.safetensors$/i, ['safetensors']],
  [/\.gguf$/i, ['gguf']],
  [/\.onnx$/i, ['onnx']],
  [/\.(?:tflite|lite)$/i, ['tflite']],
  [/\.keras$/i, ['keras', 'hdf5']],
  [/\.(?:h5|hdf5)$/i, ['keras', 'hdf5']],
  [/\.(?:pt|pth|ckpt)$/i, ['pytorch', 'pytorch-legacy', 'pytorch-tar', 'torchscript', 'pickle']],
  [/\.(?:pkl|pickle|p|joblib)$/i, ['pickle', 'pytorch', 'pytorch-legacy']],
  [/\.npy$/i, ['numpy']],
  [/\.npz$/i, ['numpy']],
  [/\.pb$/i, ['saved-model', 'tensorflow-graph', 'onnx']],
  [/\.json$/i, ['json']],
];

/**
 * A finding where a file's name says another format than its bytes: who checks by name and who loads by content see two
 * different files. Formats that are a fault of their own (a pointer, a page) need no second finding.
 */
export function compareName(path: string, format: ModelFormat): readonly ModelFinding[] {
  const [, formats] = PROMISED.find(([name]) => name.test(path)) ?? [];
  if (formats === undefined || formats.includes(format) || OTHER_FAULTS.has(format)) return [];
  const message = `its name says ${formats.slice(0, 3).join(' or ')}, but its content is ${format}`;
  return [{ severity: 'suspicious', rule: 'name', message }];
}

const OTHER_FAULTS: ReadonlySet<ModelFormat> = new Set(['git-lfs-pointer', 'html', 'empty', 'unknown', 'compressed']);
