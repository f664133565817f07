import { type ByteSource, slice } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import type { ReadContext } from '../read-context.ts';
import { readHdf5Attributes } from './hdf5-attributes.ts';
import { Hdf5Error } from './hdf5-file.ts';
import { judgeKerasConfig } from './keras-config.ts';

const SIGNATURE = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');

/** Where the HDF5 file starts: at 0 or, behind a block of the user's, at 512, 1024, 2048 …; undefined for another file. */
export function hdf5Start(source: ByteSource): number | undefined {
  for (let at = 0; at + 8 <= source.size && at <= 1 << 20; at = at === 0 ? 512 : at * 2)
    if (source.read(at, 8).equals(SIGNATURE)) return at;
  return undefined;
}

/**
 * Reads an HDF5 file as Keras writes it: the `model_config` attribute of its root group, which Keras rebuilds the model
 * from. A file without it holds weights alone. What cannot be followed is a finding and not judged harmless.
 */
export function readHdf5(source: ByteSource, start: number, context: ReadContext): FormatReport {
  const findings: ModelFinding[] = [];
  let isKeras = false;
  try {
    const attributes = readHdf5Attributes(start === 0 ? source : slice(source, start, source.size - start));
    for (const name of ['model_config', 'training_config']) {
      const text = attributes.get(name);
      if (text === undefined) continue;
      isKeras = true;
      findings.push(...judgeKerasConfig(text, context.allowed));
    }
  } catch (error) {
    if (!(error instanceof Hdf5Error)) throw error;
    const message = `it is not judged whether the file rebuilds custom layers: ${error.message}`;
    findings.push({ severity: 'suspicious', rule: 'hdf5', message, offset: error.offset });
  }
  return { format: isKeras ? 'keras' : 'hdf5', findings };
}
