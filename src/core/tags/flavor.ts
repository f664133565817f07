import { readAttributes, readChoice, readEach, refuse, refuseUnknown } from './attributes.ts';
import { type InputRecord, readRecords } from './records.ts';

/** What surrounds every tag, and who decides on `latest`. Prefix and suffix are templates. */
export interface Flavor {
  /** `auto`: the first rule that gives a tag decides. */
  readonly latest: 'auto' | 'true' | 'false';
  readonly prefix: string;
  readonly suffix: string;
  readonly isPrefixOnLatest: boolean;
  readonly isSuffixOnLatest: boolean;
}

/**
 * Reads `flavor` in docker/metadata-action's grammar: `latest=`, `prefix=…,onlatest=`, `suffix=…,onlatest=`, one a line.
 * Throws ConfigurationError with the line.
 */
export function parseFlavor(text: string): Flavor {
  let flavor: Flavor = { latest: 'auto', prefix: '', suffix: '', isPrefixOnLatest: false, isSuffixOnLatest: false };
  for (const part of readEach(readRecords(text), parseRecord)) flavor = { ...flavor, ...part };
  return flavor;
}

function parseRecord(record: InputRecord): Partial<Flavor> {
  const { line } = record;
  const attributes = readAttributes(record);
  refuseUnknown(attributes, ['latest', 'prefix', 'suffix', 'onlatest'], line, 'flavor');
  const latest = attributes.get('latest');
  const prefix = attributes.get('prefix');
  const suffix = attributes.get('suffix');
  const onLatest = attributes.get('onlatest');
  if (onLatest !== undefined && prefix === undefined && suffix === undefined) {
    refuse(line, '"onlatest" stands behind a prefix or suffix, as in prefix=cpu-,onlatest=true');
  }
  const isOnLatest = onLatest !== undefined && readChoice(onLatest, ['true', 'false'], 'onlatest', line) === 'true';
  return {
    ...(latest === undefined ? {} : { latest: readChoice(latest, ['auto', 'true', 'false'], 'latest', line) }),
    ...(prefix === undefined ? {} : { prefix, isPrefixOnLatest: isOnLatest }),
    ...(suffix === undefined ? {} : { suffix, isSuffixOnLatest: isOnLatest }),
  };
}
