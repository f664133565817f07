import type { DescriptorAnnotation, IndexAnnotations } from '../../core/registry/image-index.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';

const LEVEL = /^(?<level>manifest|index|manifest-descriptor|index-descriptor)(?:\[(?<platform>[a-z0-9/._-]+)\])?$/;

interface Level {
  readonly level: string;
  readonly platform: string | undefined;
}

/**
 * Annotations as buildx writes them: `key=value`, with levels in front (`index:`, `index,manifest-descriptor[linux/amd64]:`),
 * the index alone without them.
 *
 * `manifest:` belongs to the build: it stands in the image's own bytes, and another digest would be another image than
 * the one that was tested. An `index-descriptor` exists in no registry. Throws ConfigurationError that names the line.
 */
export function parseAnnotations(given: readonly string[], labels: ReadonlyMap<string, string>): IndexAnnotations {
  const index = new Map<string, string>(labels);
  const descriptors: DescriptorAnnotation[] = [];
  for (const [position, text] of given.entries()) {
    const line = text.trim();
    if (line === '' || line.startsWith('#')) continue;
    const split = line.indexOf('=');
    const { levels, key } = splitLevels(line.slice(0, Math.max(0, split)).trim());
    const value = line.slice(split + 1).trim();
    if (key === '')
      throw new ConfigurationError(`input "annotations", line ${position + 1}: "${line}" is no key=value`);
    for (const { level, platform } of levels) {
      if (level === 'index') index.set(key, value);
      if (level === 'manifest-descriptor') descriptors.push({ platform, key, value });
    }
  }
  return { index: Object.fromEntries(index), descriptors };
}

function splitLevels(text: string): { readonly levels: readonly Level[]; readonly key: string } {
  const colon = text.indexOf(':');
  const names = text.slice(0, Math.max(0, colon)).split(',');
  const levels = names.flatMap((name): Level[] => {
    const groups = LEVEL.exec(name)?.groups;
    return groups === undefined ? [] : [{ level: groups['level'] ?? '', platform: groups['platform'] }];
  });
  const isLevelled = colon > 0 && levels.length === names.length;
  return isLevelled
    ? { levels, key: text.slice(colon + 1) }
    : { levels: [{ level: 'index', platform: undefined }], key: text };
}
