import type { GlobList } from '../runner/input-grammar.ts';
import type { LayoutImage } from './oci-layout.ts';

export type Requirement = 'non-root' | 'healthcheck';

export interface ImageRules {
  /** Compressed bytes of all layers of one platform. */
  readonly maxSize: number | undefined;
  readonly require: readonly Requirement[];
  readonly forbidPaths: GlobList;
}

/** The verdict of one check on one image. */
export interface CheckResult {
  readonly check: string;
  readonly hasPassed: boolean;
  /** What was found; for a failure, with the layer and the instruction that made it. */
  readonly finding: string;
}

/** True when a check needs the built image: its configuration, or its layers. */
export function hasRules(rules: ImageRules): boolean {
  return rules.maxSize !== undefined || rules.require.length > 0 || rules.forbidPaths.length > 0;
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
        : `; the largest layer is ${formatBytes(largest.size)} by ${largest.instruction.slice(0, 200)}`;
    results.push({
      check: 'max-size',
      hasPassed,
      finding: `${formatBytes(image.size)} of at most ${formatBytes(rules.maxSize)}${blame}`,
    });
  }
  for (const requirement of rules.require) results.push(checkRequirement(image, requirement));
  return results;
}

function checkRequirement(image: LayoutImage, requirement: Requirement): CheckResult {
  if (requirement === 'healthcheck') {
    const finding = image.hasHealthcheck ? 'the image has a health check' : 'the image has no HEALTHCHECK';
    return { check: requirement, hasPassed: image.hasHealthcheck, finding };
  }
  const hasPassed = !isRoot(image.user);
  const finding = image.user === '' ? 'no USER is set, so processes run as root' : `processes run as ${image.user}`;
  return { check: requirement, hasPassed, finding };
}

/** `USER` takes a name or a number, with a group behind a colon. */
export function isRoot(user: string): boolean {
  const [name = ''] = user.split(':');
  return name === '' || name === 'root' || /^0+$/.test(name);
}

/** Paths of one layer that no image may hold. */
export interface ForbiddenPaths {
  readonly layer: string;
  readonly instruction: string;
  readonly paths: readonly string[];
  /** How many there are; `paths` holds the first few. */
  readonly count: number;
}

/** The verdict over the layers' paths: a file that a later layer deletes still travels with the image. */
export function checkPaths(found: readonly ForbiddenPaths[]): CheckResult {
  if (found.length === 0) return { check: 'forbid-paths', hasPassed: true, finding: 'no layer holds a forbidden path' };
  const each = found.map(({ layer, instruction, paths, count }) => {
    const more = count > paths.length ? ` and ${count - paths.length} more` : '';
    return `${paths.join(', ')}${more} in layer ${layer.slice(0, 19)} by ${instruction.slice(0, 200)}`;
  });
  return { check: 'forbid-paths', hasPassed: false, finding: each.join('; ') };
}
