import { parseRow } from '../../core/images/row.ts';
import {
  bytes,
  choice,
  defineContract,
  duration,
  integer,
  lines,
  list,
  parsed,
  secret,
  text,
} from '../../core/runner/contract.ts';

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
        'Paths or globs of model files in the workspace, one a line. A folder means every file below it. A path or glob that finds nothing is an error.',
    }),
    row: parsed(parseRow, {
      description:
        'A row of build-matrix (`${{ toJSON(matrix) }}`): the models of its image are verified. A row without models is verified at once.',
    }),
    manifest: list({
      description:
        'What is expected: `models.yml` (path, sha256, size, format, url, licence, allow), `SHA256SUMS` in the style of GNU or BSD (SHA-512 too), `.dvc` files of files and folders, git-lfs pointers named `<file>.lfs`. Paths in it are relative to its own folder. Without `models` and `row` every file listed is verified.',
    }),
    sha256: text({ description: 'The expected SHA-256 of the one model that is selected, in hex.' }),
    fetch: choice(['missing', 'always', 'never'], {
      description:
        'Which files of a manifest with a `url` are downloaded: those that are not there, all, or none. A file gets its name only when its digest is right. The address must need no log-in.',
      default: 'missing',
    }),
    'fetch-timeout': duration({ description: 'How long one download may take, with all its retries.', default: '30m' }),
    formats: list({
      description:
        'The formats allowed, by content: safetensors, gguf, onnx, tflite, keras, hdf5, saved-model, tensorflow-graph, pytorch, pytorch-legacy, pytorch-tar, torchscript, pickle, numpy, zip, tar, json. Default: all.',
    }),
    'min-size': bytes({ description: 'The smallest size allowed, such as `1MB`.' }),
    'max-size': bytes({ description: 'The largest size allowed, such as `2GiB`. Downloads stop there, too.' }),
    require: list({
      description:
        '`checksum`: every model must be listed in a manifest or by `sha256`, with more than an MD5. `signature`: every model must be covered by `signature`. `safe-format`: only safetensors and GGUF.',
    }),
    scan: choice(['error', 'warn', 'off'], {
      description:
        'What a finding about code does: fail the step, warn, or nothing (the format is then not read). A wrong or broken file always fails.',
      default: 'error',
    }),
    'scan-timeout': duration({
      description:
        'How long reading the format of one file may take, its digests aside. A file that takes longer is a finding: some are made to keep scanners busy.',
      default: '10m',
    }),
    'allow-globals': list({
      description:
        'Imports that pickles may make besides those known to be harmless: `module.name`, or `module.*`; also custom layers of Keras and operators of ONNX, TensorFlow and TorchScript by the name the finding shows. Dangerous ones stay dangerous.',
    }),
    signature: text({
      description:
        'A signature in the OpenSSF model signing format (`model.sig`). It covers the folder that it stands in: every file there must be signed, and every signed file be there.',
    }),
    signed: text({
      description:
        'The folder, or the one file, that `signature` covers where that is not the folder it stands in; with `image`, relative to the folder of the image.',
    }),
    'public-key': text({ description: 'A PEM file with the EC public key that must have made the signature.' }),
    identity: text({
      description: 'Who must have signed: the subject of the Sigstore certificate, exactly as it stands there.',
    }),
    issuer: text({
      description: 'Who must have vouched for `identity`, such as `https://token.actions.githubusercontent.com`.',
    }),
    'trusted-root': text({
      description:
        'What a signature is traced to: a Sigstore `trusted_root.json`, or PEM certificates for signatures with a certificate. Default for `identity`: the public Sigstore of the time of this release.',
    }),
    image: text({
      description:
        "A folder of an image, whose files are verified in place of those of the workspace, without running it: `ghcr.io/owner/name:tag:/app/models` of a registry, `local:name:tag:/app/models` of this machine's engine, or `layout:path:/app/models` of an OCI image layout in the workspace (a folder or a tar), as a build of one stage writes with `type=oci`. Manifests and signatures stay in the workspace, and their paths are relative to the folder.",
    }),
    platform: text({
      description:
        'Which image of several platforms `image` means. Default: `linux/amd64`, and for `local:` the platform of this machine.',
    }),
    'github-token': secret({
      description: 'A token that may read `image` from GHCR. Other registries take what `docker login` stored.',
      default: '${{ github.token }}',
    }),
    'write-manifest': text({
      description:
        'A file in the workspace to write what was verified to: a `models.yml` when its name ends in `.yml` or `.yaml`, `SHA256SUMS` otherwise. The models must stand below its folder.',
    }),
    concurrency: integer({
      description: 'How many files are read at once, each by a thread of its own; 0 for one a processor.',
      min: 0,
      max: 64,
      default: '0',
    }),
  },
  outputs: {
    verified: { description: 'How many models were verified.' },
    sha256: { description: 'The SHA-256 of the model; of several, that of their sorted `SHA256SUMS`.' },
    manifest: { description: 'JSON: path, size, sha256, format, tensors, parameters and findings of each model.' },
    labels: {
      description:
        'Image labels, one a line, that say which models an image carries: `dev.slipway.model.<file>=sha256:<hex>`.',
    },
    report: {
      description: 'The path of a SARIF 2.1.0 file with all findings, for `github/codeql-action/upload-sarif`.',
    },
    'cache-hit': { description: '`true` when every file that was fetched came out of the cache; empty when none was.' },
  },
});
