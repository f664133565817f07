import { contract as buildMatrix } from '../src/actions/build-matrix/contract.ts';
import { contract as frontendS3Deploy } from '../src/actions/frontend-s3-deploy/contract.ts';
import { contract as ghcrPublish } from '../src/actions/ghcr-publish/contract.ts';
import { contract as metadataTags } from '../src/actions/metadata-tags/contract.ts';
import { contract as modelVerify } from '../src/actions/model-verify/contract.ts';
import { contract as multistageBuild } from '../src/actions/multistage-build/contract.ts';
import type { Contract } from '../src/core/runner/contract.ts';

/** The contracts of all actions, in the order of a release. */
export const contracts: readonly Contract[] = [
  buildMatrix,
  modelVerify,
  metadataTags,
  multistageBuild,
  ghcrPublish,
  frontendS3Deploy,
];
