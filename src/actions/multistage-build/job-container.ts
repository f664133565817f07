import { existsSync } from 'node:fs';

/** True in a job's container, whose files and network are not the runner's. */
export function isInContainer(): boolean {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}
