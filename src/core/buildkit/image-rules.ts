import { ConfigurationError } from '../runner/errors.ts';
import { type GlobList, nearest, parseBytes } from '../runner/input-grammar.ts';

export const REQUIREMENTS = ['non-root', 'healthcheck', 'labels', 'no-build-tools'] as const;
export type Requirement = (typeof REQUIREMENTS)[number];

/** How much larger than the published image a new one may be. */
export type Growth =
  | { readonly unit: 'percent'; readonly limit: number }
  | { readonly unit: 'bytes'; readonly limit: number };

export interface ImageRules {
  /** Compressed bytes of all layers of one platform. */
  readonly maxSize: number | undefined;
  readonly maxGrowth: Growth | undefined;
  readonly require: readonly Requirement[];
  readonly forbidPaths: GlobList;
}

/** True when a check needs the built image: its configuration, or its layers. */
export function hasRules(rules: ImageRules): boolean {
  return (
    rules.maxSize !== undefined ||
    rules.maxGrowth !== undefined ||
    rules.require.length > 0 ||
    rules.forbidPaths.length > 0
  );
}

/** Reads `10%` or `50MB`. Throws ConfigurationError. */
export function parseGrowth(text: string): Growth {
  const percent = /^(\d{1,4}(?:\.\d{1,2})?)\s*%$/.exec(text.trim())?.[1];
  return percent === undefined
    ? { unit: 'bytes', limit: parseBytes(text.trim()) }
    : { unit: 'percent', limit: Number(percent) };
}

/** Throws ConfigurationError for a word that is no requirement. */
export function parseRequirement(text: string): Requirement {
  const found = REQUIREMENTS.find((each) => each === text);
  if (found !== undefined) return found;
  const near = nearest(text, REQUIREMENTS);
  throw new ConfigurationError(
    `"${text}" is none of ${REQUIREMENTS.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}

/** The labels without which nobody knows what an image is, and where it comes from (OCI image specification 1.1). */
export const REQUIRED_LABELS = ['title', 'description', 'source', 'revision', 'version', 'created'].map(
  (name) => `org.opencontainers.image.${name}`,
);

/** Programs that build software, which an image that runs it does not need. */
export const BUILD_TOOLS: GlobList = [
  '{usr/,usr/local/,}bin/{cc,c++,gcc,g++,clang,clang++,ld,as,make,cmake,ninja,meson,go,rustc,cargo,javac,mvn,gradle}',
  '{usr/,usr/local/,}bin/{gcc,g++,clang,ld,cpp}-[0-9]*',
  '{usr/,usr/local/,}bin/*-linux-gnu{,x32}-{gcc,g++,ld,as}{,-[0-9]*}',
  'usr/local/{go,cargo}/bin/{go,cargo,rustc}',
].map((glob) => ({ glob, isExcluded: false }));
