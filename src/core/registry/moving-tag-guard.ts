import compareVersions from 'semver/functions/compare.js';
import parseVersion from 'semver/functions/parse.js';
import type { ImageOrigin } from './image-origin.ts';

/** How the commit that a tag's image was built from stands to the commit that is published. */
export type Ancestry = 'descendant' | 'same' | 'ancestor' | 'diverged' | 'unknown';

/**
 * Why a moving tag stays with the image that it names now; undefined when it may move on.
 *
 * It never goes back: not to a lower version, and not to a commit that the present image's commit descends from. Two runs
 * that end in the wrong order then do no harm. What is not known stops nothing.
 */
export function reasonToStay(options: {
  readonly published: ImageOrigin;
  readonly current: ImageOrigin;
  /** Of the current image's revision to the published one's. */
  readonly ancestry: Ancestry;
}): string | undefined {
  const { published, current, ancestry } = options;
  const [ours, theirs] = [parseVersion(published.version ?? ''), parseVersion(current.version ?? '')];
  if (ours !== null && theirs !== null) {
    const order = compareVersions(theirs, ours);
    if (order > 0) return `names version ${theirs.version}, which is higher than ${ours.version}`;
    // A higher version moves the tag also from a branch that has gone further (a backport's line).
    if (order < 0) return undefined;
  }
  if (ancestry !== 'descendant') return undefined;
  return `names an image of commit ${short(current.revision)}, which comes after ${short(published.revision)}`;
}

function short(revision = ''): string {
  return revision.slice(0, 7);
}
