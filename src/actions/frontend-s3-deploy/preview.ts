import { ConfigurationError } from '../../core/runner/errors.ts';
import { fieldOf, type RunnerEvent } from '../../core/runner/event.ts';

export interface Preview {
  /** `pr-7`. */
  readonly name: string;
  /** Whether the pull request was closed or merged, so that its preview goes. */
  readonly isOver: boolean;
}

/** The preview that an event is about; undefined when it is not about a pull request. */
export function previewOf(event: RunnerEvent): Preview | undefined {
  const number = fieldOf(event.payload, 'pull_request', 'number');
  if (number === undefined) return undefined;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 1) {
    throw new ConfigurationError("the event's pull request has no number");
  }
  return { name: `pr-${number}`, isOver: fieldOf(event.payload, 'action') === 'closed' };
}

/** A site's address with the preview's name in it: in place of `{preview}`, or as a folder. */
export function previewUrl(url: string, preview: Preview | undefined): string {
  if (preview === undefined || url.includes('{preview}')) return url.replaceAll('{preview}', preview?.name ?? '');
  return `${url.replace(/\/+$/, '')}/${preview.name}/`;
}
