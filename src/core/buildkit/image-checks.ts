import { type Growth, type ImageRules, REQUIRED_LABELS, type Requirement } from './image-rules.ts';
import type { LayoutImage } from './oci-layout.ts';

/** The verdict of one check on one image. */
export interface CheckResult {
  readonly check: string;
  readonly hasPassed: boolean;
  /** What was found; for a failure, with the layer and the instruction that made it. */
  readonly finding: string;
}

/** Checks what an image's configuration and its layers' sizes tell. */
export function checkImage(
  image: LayoutImage,
  rules: ImageRules,
  formatBytes: (bytes: number) => string,
): readonly CheckResult[] {
  const results: CheckResult[] = [];
  if (rules.maxSize !== undefined) {
    const largest = image.layers.toSorted((a, b) => b.size - a.size)[0];
    const hasPassed = image.size <= rules.maxSize;
    const blame =
      largest === undefined || hasPassed
        ? ''
        : `; the largest layer ${largest.digest.slice(0, 19)} is ${formatBytes(largest.size)} by ${largest.instruction.slice(0, 200)}`;
    results.push({
      check: 'max-size',
      hasPassed,
      finding: `${formatBytes(image.size)} of at most ${formatBytes(rules.maxSize)}${blame}`,
    });
  }
  for (const requirement of rules.require)
    if (requirement !== 'no-build-tools') results.push(checkRequirement(image, requirement));
  return results;
}

/** Compares with the image that is published; one that is the first of its name has nothing to outgrow. */
export function checkGrowth(
  image: LayoutImage,
  published: LayoutImage | undefined,
  growth: Growth,
  formatBytes: (bytes: number) => string,
): CheckResult {
  const check = 'max-growth';
  if (published === undefined)
    return { check, hasPassed: true, finding: 'no image is published yet that it could be compared with' };
  const grown = image.size - published.size;
  const limit = growth.unit === 'bytes' ? growth.limit : Math.round((published.size * growth.limit) / 100);
  const shown = growth.unit === 'bytes' ? formatBytes(growth.limit) : `${growth.limit} %`;
  const hasPassed = grown <= limit;
  const known = new Set(published.layers.map(({ digest }) => digest));
  const largest = image.layers.filter(({ digest }) => !known.has(digest)).toSorted((a, b) => b.size - a.size)[0];
  const blame =
    hasPassed || largest === undefined
      ? ''
      : `; its largest new layer ${largest.digest.slice(0, 19)} is ${formatBytes(largest.size)} by ${largest.instruction.slice(0, 200)}`;
  const change = grown < 0 ? `${formatBytes(-grown)} less` : `${formatBytes(grown)} more`;
  const finding = `${formatBytes(image.size)}, ${change} than the ${formatBytes(published.size)} published, of at most ${shown} more${blame}`;
  return { check, hasPassed, finding };
}

function checkRequirement(image: LayoutImage, requirement: Exclude<Requirement, 'no-build-tools'>): CheckResult {
  if (requirement === 'labels') {
    const missing = REQUIRED_LABELS.filter((label) => (image.labels[label] ?? '') === '');
    const finding = missing.length === 0 ? 'all labels are there' : `the image has no label ${missing.join(', ')}`;
    return { check: requirement, hasPassed: missing.length === 0, finding };
  }
  if (requirement === 'healthcheck') {
    const finding = image.hasHealthcheck ? 'the image has a health check' : 'the image has no HEALTHCHECK';
    return { check: requirement, hasPassed: image.hasHealthcheck, finding };
  }
  const hasPassed = !isRoot(image.user);
  const by = hasPassed || image.userInstruction === undefined ? '' : ` by ${image.userInstruction.slice(0, 200)}`;
  const finding =
    image.user === '' ? 'no USER is set, so processes run as root' : `processes run as ${image.user}${by}`;
  return { check: requirement, hasPassed, finding };
}

/** `USER` takes a name or a number, with a group behind a colon. */
export function isRoot(user: string): boolean {
  const [name = ''] = user.split(':');
  return name === '' || name === 'root' || /^0+$/.test(name);
}

/** Paths of one layer that the image must not hold. */
export interface ForbiddenPaths {
  readonly layer: string;
  readonly instruction: string;
  readonly paths: readonly string[];
  /** How many there are; `paths` holds the first few. */
  readonly count: number;
}

/** The verdict over the layers' paths: a file that a later layer deletes still travels with the image. */
export function checkPaths(check: 'forbid-paths' | 'no-build-tools', found: readonly ForbiddenPaths[]): CheckResult {
  const wanted = check === 'forbid-paths' ? 'a forbidden path' : 'a build tool';
  if (found.length === 0) return { check, hasPassed: true, finding: `no layer holds ${wanted}` };
  const each = found.map(({ layer, instruction, paths, count }) => {
    const more = count > paths.length ? ` and ${count - paths.length} more` : '';
    return `${paths.join(', ')}${more} in layer ${layer.slice(0, 19)} by ${instruction.slice(0, 200)}`;
  });
  return { check, hasPassed: false, finding: each.join('; ') };
}
