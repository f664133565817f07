import { INPUTS_LABEL } from '../registry/inputs-tag.ts';

/** What an image says of where it comes from. */
export interface SourceFacts {
  readonly serverUrl: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly sha: string;
  /** Seconds since 1970 of the commit, where it is known. */
  readonly commitTime: number | undefined;
  readonly title: string | undefined;
  /** SHA-256 over all that goes into the build, from build-matrix. */
  readonly inputs: string;
}

/**
 * OCI's own labels (image specification 1.1, "Pre-Defined Annotation Keys") and the input digest.
 *
 * `created` is the commit's time and not the build's, so that the same commit gives the same configuration.
 */
export function sourceLabels(facts: SourceFacts): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  if (facts.title !== undefined) labels['org.opencontainers.image.title'] = facts.title;
  if (facts.repository !== '') labels['org.opencontainers.image.source'] = `${facts.serverUrl}/${facts.repository}`;
  if (facts.sha !== '') labels['org.opencontainers.image.revision'] = facts.sha;
  if (facts.commitTime !== undefined) {
    labels['org.opencontainers.image.created'] = new Date(facts.commitTime * 1000).toISOString().replace('.000Z', 'Z');
  }
  if (facts.inputs !== '') labels[INPUTS_LABEL] = facts.inputs;
  return labels;
}
