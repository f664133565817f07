import { formatAttributes } from './bake-definition.ts';

export interface AttestationRequest {
  /** The inputs `provenance` and `sbom`: `''`, `true`, `false`, or attributes. */
  readonly provenance: string;
  readonly sbom: string;
  /** Entries such as `type=sbom,generator=…`. */
  readonly attests: readonly string[];
  readonly isPushed: boolean;
  /** Everything that goes into the build of a public repository may be told; `undefined` where it is not known. */
  readonly isPublic: boolean | undefined;
  /** Address of the workflow run. */
  readonly builderId: string;
}

/**
 * Bake's `attest` entries. Without a word from the user, what is pushed gets a provenance (`mode=max` from public
 * repositories, else `mode=min`, because `max` tells the build arguments), and what stays here gets none.
 */
export function planAttestations(request: AttestationRequest): readonly string[] {
  const own = request.attests.filter((entry) => entry !== '');
  const hasOwn = (type: string): boolean => own.some((entry) => entry.split(',').includes(`type=${type}`));
  const planned: string[] = [];
  if (!hasOwn('provenance')) planned.push(provenance(request));
  if (!hasOwn('sbom') && request.sbom !== '' && request.sbom !== 'false') {
    planned.push(request.sbom === 'true' ? 'type=sbom' : `type=sbom,${request.sbom}`);
  }
  return [...planned, ...own];
}

function provenance({ provenance: asked, isPushed, isPublic, builderId }: AttestationRequest): string {
  if (asked === 'false' || (asked === '' && !isPushed)) return 'type=provenance,disabled=true';
  const mode = isPublic === true ? 'max' : 'min';
  if (asked === '' || asked === 'true') return formatAttributes({ type: 'provenance', mode, 'builder-id': builderId });
  const attributes = asked.replace(/^type=provenance,?/, '');
  const id = /(?:^|,)builder-id=/.test(attributes) ? '' : `,${formatAttributes({ 'builder-id': builderId })}`;
  return `type=provenance,${attributes}${id}`;
}
