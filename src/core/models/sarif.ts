import type { JudgedModel } from './judge-models.ts';
import type { ModelFinding, Severity } from './model-finding.ts';

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  mismatch: 'error',
  dangerous: 'error',
  suspicious: 'warning',
  note: 'note',
};

/** GitHub's scale from 0 to 10 (its "SARIF support for code scanning", `security-severity`). */
const SECURITY_SEVERITIES: Readonly<Record<Severity, string>> = {
  mismatch: '7.0',
  dangerous: '9.8',
  suspicious: '5.0',
  note: '0.0',
};

/** GitHub refuses a report of more results; the worst come first. */
const MAX_RESULTS = 25_000;
const RANKS: Readonly<Record<Severity, number>> = { mismatch: 0, dangerous: 0, suspicious: 1, note: 2 };

/** What each rule finds, for people who read the report without this project at hand. */
const RULES: ReadonlyMap<string, string> = new Map([
  ['changed', 'The file changed while it was read'],
  ['chat-template', 'A chat template that reaches for Python'],
  ['checksum', 'The digest is not the expected one'],
  ['compression', 'Compressed contents that cannot be read'],
  ['duplicate', 'The same bytes under two names'],
  ['external-data', 'A file beside the model is not as it must be'],
  ['format', 'Not a model, or not in an allowed format'],
  ['gguf', 'A broken GGUF file'],
  ['hdf5', 'An HDF5 file that cannot be followed'],
  ['json', 'A JSON file that cannot be read'],
  ['keras', 'A Keras configuration that cannot be read'],
  ['keras-layer', 'A Keras layer that runs code'],
  ['missing', 'A file that is not there'],
  ['name', 'The name says another format than the content'],
  ['numpy', 'A broken array'],
  ['onnx', 'A broken ONNX model'],
  ['onnx-external-data', "An ONNX tensor outside of the model's folder"],
  ['onnx-operator', 'An ONNX operator that a library must bring'],
  ['pickle-broken', 'A pickle that cannot be followed to its end'],
  ['pickle-build', 'A pickle that changes what it imports'],
  ['pickle-call', 'A pickle that calls what cannot be known'],
  ['pickle-import', 'A pickle that imports what is not known to be harmless'],
  ['polyglot', 'Two formats in one file'],
  ['remote-code', 'Python files that run with the model'],
  ['safetensors', 'A broken safetensors file'],
  ['signature', 'Not what the signature covers'],
  ['size', 'The size is not the expected one'],
  ['tar', 'A tar archive that cannot be followed'],
  ['tensorflow', 'A broken TensorFlow graph'],
  ['tensorflow-operator', 'A TensorFlow operator that reaches out'],
  ['tflite', 'A broken TensorFlow Lite model'],
  ['tflite-operator', 'A custom operator of TensorFlow Lite'],
  ['torchscript', 'TorchScript that reaches out'],
  ['unreadable', 'A file that cannot be read'],
  ['zip', 'An archive that readers see differently'],
]);

/**
 * The findings as SARIF 2.1.0, for code scanning: one result each, at the model's file, and at the manifest's line where
 * one lists it. Pure; the same models give the same bytes.
 */
export function formatSarif(judged: readonly JudgedModel[]): string {
  const used = new Map<string, Severity>();
  for (const { rule, severity } of judged.flatMap(({ findings }) => findings))
    if (!used.has(rule)) used.set(rule, severity);
  const rules = [...used].sort(([a], [b]) => (a < b ? -1 : 1));
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'slipway-model-verify',
            rules: rules.map(([id, severity]) => ({
              id,
              shortDescription: { text: RULES.get(id) ?? id },
              defaultConfiguration: { level: LEVELS[severity] },
              properties: { 'security-severity': SECURITY_SEVERITIES[severity], tags: ['security'] },
            })),
          },
        },
        results: judged
          .flatMap((each) => each.findings.map((finding) => ({ each, finding })))
          .sort((a, b) => RANKS[a.finding.severity] - RANKS[b.finding.severity])
          .slice(0, MAX_RESULTS)
          .map(({ each, finding }) =>
            toResult(
              each,
              finding,
              rules.findIndex(([id]) => id === finding.rule),
            ),
          ),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function toResult({ model, expected }: JudgedModel, finding: ModelFinding, ruleIndex: number): object {
  const [listed] = expected.filter(({ manifest }) => manifest !== '');
  return {
    ruleId: finding.rule,
    ruleIndex,
    level: LEVELS[finding.severity],
    message: { text: `${model.path}${finding.entry === undefined ? '' : `!${finding.entry}`}: ${finding.message}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: toUri(model.path) },
          ...(finding.offset === undefined || finding.entry !== undefined
            ? {}
            : { region: { byteOffset: finding.offset, byteLength: 0 } }),
        },
      },
    ],
    ...(listed === undefined
      ? {}
      : {
          relatedLocations: [
            {
              physicalLocation: {
                artifactLocation: { uri: toUri(listed.manifest) },
                region: { startLine: listed.line },
              },
              message: { text: 'listed here' },
            },
          ],
        }),
    partialFingerprints: {
      'finding/v1': `${model.sha256}:${finding.rule}:${finding.entry ?? ''}:${finding.offset ?? ''}`,
    },
  };
}

/** Half a surrogate pair, which a manifest may write, has no place in an address. */
function toUri(path: string): string {
  return path.toWellFormed().split('/').map(encodeURIComponent).join('/');
}
