import type { Requirements } from '../../core/models/judge-models.ts';
import { MODEL_FORMATS } from '../../core/models/model-finding.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import { nearest } from '../../core/runner/input-grammar.ts';
import type { contract } from './contract.ts';

const REQUIRE = ['checksum', 'signature', 'safe-format'];

/** What every model must be, from the inputs. Throws ConfigurationError for words that are none, and for those that need another input. */
export function readRequirements(inputs: InputsOf<typeof contract>): Requirements {
  refuseUnknown('require', inputs.require, REQUIRE);
  refuseUnknown('formats', inputs.formats, MODEL_FORMATS);
  if (inputs.require.includes('signature') && inputs.signature === undefined)
    throw new ConfigurationError('input "require" asks for a signature, but "signature" names none');
  if (inputs.scan === 'off' && (inputs.require.includes('safe-format') || inputs.formats.length > 0))
    throw new ConfigurationError(
      'input "scan" is "off", so that no format is known to hold against "formats" or "require"',
    );
  return {
    checksum: inputs.require.includes('checksum'),
    safeFormat: inputs.require.includes('safe-format'),
    formats: inputs.formats,
    minSize: inputs.minSize,
    maxSize: inputs.maxSize,
  };
}

function refuseUnknown(input: string, words: readonly string[], known: readonly string[]): void {
  const unknown = words.find((word) => !known.includes(word));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new ConfigurationError(`input "${input}": "${unknown}" is none of ${known.join(', ')}${hint}`);
}
