import type { Row } from '../images/row.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { IMAGE_PLACEHOLDER, type ImageName, illegalName } from './image-names.ts';

/** One thing that is named: an image in one variant. */
export interface NamedVariant {
  /** The image's short name in the matrix; `''` without a matrix. */
  readonly image: string;
  readonly variant: string;
  /** What each of its tags ends with: `''` and `-gpu` for the default variant, else one of them. */
  readonly endings: readonly string[];
  /** The repositories its tags stand in; none when names alone are asked for. */
  readonly repositories: readonly string[];
}

export interface VariantInputs {
  readonly images: readonly ImageName[];
  readonly rows: readonly Row[] | undefined;
  readonly variant: string;
  readonly defaultVariant: string;
}

const ENDING = /^[A-Za-z0-9._-]{0,64}$/;

/**
 * Says which images and variants a run names, in the matrix's order.
 *
 * Throws ConfigurationError where inputs contradict each other: `{image}` without a matrix, `variant` with one.
 */
export function namedVariants({ images, rows, variant, defaultVariant }: VariantInputs): readonly NamedVariant[] {
  const enabled = images.filter(({ isEnabled }) => isEnabled).map(({ name }) => name);
  if (rows === undefined) {
    if (images.some(({ name }) => name.includes(IMAGE_PLACEHOLDER))) {
      throw new ConfigurationError(
        `input "images" holds ${IMAGE_PLACEHOLDER}, and "matrix" does not say which images there are; give it the output "matrix" of build-matrix`,
      );
    }
    return [
      {
        image: '',
        variant,
        endings: endingsOf('variant', variant, variant === '' ? '' : `-${variant}`, defaultVariant),
        repositories: enabled,
      },
    ];
  }
  if (variant !== '')
    throw new ConfigurationError('input "variant" names one variant and "matrix" all of them; leave one out');
  const found = new Map<string, NamedVariant>();
  for (const row of rows) {
    const key = JSON.stringify([row.image, row.variant]);
    if (found.has(key)) continue;
    found.set(key, {
      image: row.image,
      variant: row.variant,
      endings: endingsOf('matrix', row.variant, row.suffix, defaultVariant),
      repositories: [...new Set(enabled.map((name) => repositoryOf(name, row.image)))],
    });
  }
  refuseUnknownDefault([...found.values()], defaultVariant);
  return [...found.values()];
}

function repositoryOf(name: string, image: string): string {
  const repository = name.replaceAll(IMAGE_PLACEHOLDER, image);
  const reason = illegalName(repository);
  if (reason !== undefined) throw new ConfigurationError(`input "images": "${repository}" is no image name: ${reason}`);
  return repository;
}

function endingsOf(
  input: 'variant' | 'matrix',
  variant: string,
  ending: string,
  defaultVariant: string,
): readonly string[] {
  if (!ENDING.test(ending)) {
    throw new ConfigurationError(
      `input "${input}": "${ending}" cannot end a tag; a variant is made of at most 63 of A-Z, a-z, 0-9, ".", "_" and "-"`,
    );
  }
  return variant !== '' && variant === defaultVariant ? [...new Set(['', ending])] : [ending];
}

function refuseUnknownDefault(variants: readonly NamedVariant[], defaultVariant: string): void {
  const names = [...new Set(variants.map(({ variant }) => variant).filter((name) => name !== ''))];
  if (defaultVariant === '' || names.length === 0 || names.includes(defaultVariant)) return;
  throw new ConfigurationError(
    `input "default-variant": no row has the variant "${defaultVariant}"; there are ${names.join(', ')}`,
  );
}
