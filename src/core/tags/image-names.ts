import { readAttributes, readChoice, readEach, refuse, refuseUnknown } from './attributes.ts';
import { type InputRecord, readRecords } from './records.ts';

/** One entry of `images`. */
export interface ImageName {
  /** A repository in lower case, such as `ghcr.io/acme/app`; may hold `{image}`. */
  readonly name: string;
  readonly isEnabled: boolean;
}

/** Stands in a name for the short name of each image of the matrix. */
export const IMAGE_PLACEHOLDER = '{image}';

/** distribution/reference, "Grammar": a host with an optional port, then components of the path. */
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = `(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?`;
const REPOSITORY = new RegExp(`^(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*$`);
const MAX_NAME = 255;

/**
 * Reads `images` in docker/metadata-action's grammar: a name or `name=…,enable=…` a line, or names between commas.
 *
 * Names are put in lower case, each once. Throws ConfigurationError with the line for a name that is no repository.
 */
export function parseImageNames(text: string): readonly ImageName[] {
  const names = new Map<string, ImageName>();
  for (const image of readEach(readRecords(text), parseRecord).flat()) {
    const earlier = names.get(image.name);
    names.set(image.name, { ...image, isEnabled: image.isEnabled || earlier?.isEnabled === true });
  }
  return [...names.values()];
}

function parseRecord({ fields, line }: InputRecord): readonly ImageName[] {
  if (fields.every((field) => !field.includes('=')))
    return fields.map((name) => ({ name: legalName(name, line), isEnabled: true }));
  const attributes = readAttributes({ line, fields }, 'name');
  refuseUnknown(attributes, ['name', 'enable'], line, 'an image');
  const enable = readChoice(attributes.get('enable') ?? 'true', ['true', 'false'], 'enable', line);
  const name = attributes.get('name') || refuse(line, 'an image needs a name, as in name=ghcr.io/acme/app');
  return [{ name: legalName(name, line), isEnabled: enable === 'true' }];
}

function legalName(text: string, line: number): string {
  const name = text.toLowerCase();
  const reason = illegalName(name.replaceAll(IMAGE_PLACEHOLDER, 'image'));
  return reason === undefined ? name : refuse(line, `"${text}" is no image name: ${reason}`);
}

/** Why a name is no repository of the distribution specification; undefined when it is one. */
export function illegalName(name: string): string | undefined {
  if (name.length > MAX_NAME) return `it is longer than ${MAX_NAME} characters`;
  if (REPOSITORY.test(name)) return undefined;
  if (/^[a-z]+:\/\//.test(name)) return 'leave out the scheme, as in ghcr.io/acme/app';
  if (/\s/.test(name)) return 'it holds a blank';
  if (name.includes('@')) return 'leave out the digest';
  if (/:[^/]*$/.test(name)) return 'leave out the tag; rules in "tags" make it';
  return 'a name is made of a-z, 0-9 and single separators (. _ -) between slashes';
}
