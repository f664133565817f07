import type { Labels } from './labels.ts';

export interface BakeContent {
  readonly target: string;
  readonly tags: readonly string[];
  readonly labels: Labels;
  /** `level:key=value` entries. */
  readonly annotations: readonly string[];
  readonly images: readonly string[];
  readonly version: string | undefined;
}

export type BakeKind = 'tags' | 'labels' | 'annotations' | 'all';

/** Bake definitions by kind, as JSON texts: what docker/metadata-action writes, for `docker buildx bake --file`. */
export function bakeDefinitions(content: BakeContent): Readonly<Record<BakeKind, string>> {
  const tags = {
    tags: content.tags,
    args: {
      DOCKER_META_IMAGES: content.images.join(','),
      ...(content.version === undefined ? {} : { DOCKER_META_VERSION: content.version }),
    },
  };
  const labels = {
    labels: Object.fromEntries([...content.labels].map(([key, value]) => [escapeTemplate(key), escapeTemplate(value)])),
  };
  const define = (part: object): string => `${JSON.stringify({ target: { [content.target]: part } }, null, 2)}\n`;
  return {
    tags: define(tags),
    labels: define(labels),
    annotations: define({ annotations: content.annotations.map(escapeTemplate) }),
    all: define({ ...tags, ...labels }),
  };
}

/** Bake reads strings of JSON as HCL templates (HCL JSON syntax, "Strings"): `${` would name a variable. */
function escapeTemplate(text: string): string {
  return text.replace(/[$%]\{/g, (sign) => `${sign[0] ?? ''}${sign}`);
}
