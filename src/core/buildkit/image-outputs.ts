import { formatAttributes } from './bake-definition.ts';
import type { Builder } from './builder.ts';

export type PushKind = 'false' | 'true' | 'by-digest';

export interface OutputRequest {
  readonly push: PushKind;
  readonly load: boolean;
  /** Repository for pushes by digest. */
  readonly repository: string | undefined;
  /** Folder for the image's layout, when something after the build reads it. */
  readonly layout: string | undefined;
  /** The user's own output entries. */
  readonly outputs: readonly string[];
  readonly builder: Pick<Builder, 'driver'>;
  /**
   * The image's date, in seconds since 1970. It is the exporter's to know and not the frontend's: as the build argument
   * SOURCE_DATE_EPOCH it dates every folder that WORKDIR makes, so that each commit begins with an empty cache.
   */
  readonly created: number | undefined;
  /** Nothing but the result of the build matters, as for validation. */
  readonly isValidation: boolean;
}

/**
 * Bake's outputs for one image; undefined for buildx's own default.
 *
 * With a layout, nothing is pushed here: the caller checks the layout and then pushes that very image. It is also the
 * only way for a `docker` builder, which refuses to push by digest ("currently not implemented", buildx 0.29).
 */
export function planOutputs(request: OutputRequest): readonly string[] | undefined {
  const outputs = [...request.outputs];
  const date = { 'source-date-epoch': request.created };
  if (request.layout !== undefined)
    outputs.push(formatAttributes({ type: 'oci', tar: false, dest: request.layout, ...date }));
  else if (request.push === 'true') outputs.push(formatAttributes({ type: 'image', push: true, ...date }));
  else if (request.push === 'by-digest') {
    const name = request.repository;
    outputs.push(
      formatAttributes({ type: 'image', name, 'push-by-digest': true, 'name-canonical': true, push: true, ...date }),
    );
  }
  if (request.load)
    outputs.push(
      formatAttributes({ type: 'docker', 'oci-mediatypes': request.layout === undefined ? undefined : true, ...date }),
    );
  if (outputs.length > 0) return outputs;
  return request.isValidation || request.builder.driver !== 'docker' ? ['type=cacheonly'] : undefined;
}

export function canPushByDigest(builder: Pick<Builder, 'driver'>): boolean {
  return builder.driver !== 'docker';
}
