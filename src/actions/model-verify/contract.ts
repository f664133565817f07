import { parseRow } from '../../core/images/row.ts';
import { bytes, choice, defineContract, lines, list, parsed, text } from '../../core/runner/contract.ts';

export const contract = defineContract({
  name: 'model-verify',
  title: 'Slipway model verify',
  description:
    'Proves that model files are the ones expected, are whole, and run no code when they are loaded. Nothing is executed, and no Python is needed.',
  branding: { icon: 'shield', color: 'green' },
  post: false,
  inputs: {
    models: lines({
      description:
        'Paths or globs of model files in the workspace, one a line. A path or glob that finds nothing is an error.',
    }),
    row: parsed(parseRow, {
      description:
        'A row of build-matrix (`${{ toJSON(matrix) }}`): the models of its image are verified. A row without models is verified at once.',
    }),
    manifest: list({
      description:
        'Checksum files (`SHA256SUMS` in the style of GNU or BSD, SHA-512 too) with names relative to their own folder. Without `models` and `row` every file listed is verified.',
    }),
    sha256: text({ description: 'The expected SHA-256 of the one model that is selected, in hex.' }),
    formats: list({
      description:
        'The formats allowed, by content: safetensors, gguf, pytorch, pytorch-legacy, pickle, numpy, zip. Default: all.',
    }),
    'min-size': bytes({ description: 'The smallest size allowed, such as `1MB`.' }),
    'max-size': bytes({ description: 'The largest size allowed, such as `2GiB`.' }),
    require: list({
      description:
        '`checksum`: every model must be listed in a manifest or by `sha256`. `safe-format`: only safetensors and GGUF.',
    }),
    scan: choice(['error', 'warn', 'off'], {
      description:
        'What a finding about code does: fail the step, warn, or nothing (the format is then not read). A wrong or broken file always fails.',
      default: 'error',
    }),
    'allow-globals': list({
      description:
        'Imports that pickles may make besides those known to be harmless: `module.name`, or `module.*`. Dangerous ones stay dangerous.',
    }),
    'write-manifest': text({
      description: 'A file in the workspace to write the digests of the verified models to, as `SHA256SUMS`.',
    }),
  },
  outputs: {
    verified: { description: 'How many models were verified.' },
    sha256: { description: 'The SHA-256 of the model; of several, that of their sorted `SHA256SUMS`.' },
    manifest: { description: 'JSON: path, size, sha256, format, tensors and findings of each model.' },
    labels: {
      description:
        'Image labels, one a line, that say which models an image carries: `dev.slipway.model.<file>=sha256:<hex>`.',
    },
  },
});
