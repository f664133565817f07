import type { Variant } from './scale-repository.ts';

/** GitHub's limits: docs.github.com, "Actions limits" and "Dependency caching reference", read in November 2026. */
export const LIMITS = {
  /** Jobs of one matrix. */
  matrixJobs: 256,
  /** Bytes of caches in a repository; beyond, those go first that were read longest ago. */
  cacheBytes: 10e9,
  /** Requests to the REST API with one repository's GITHUB_TOKEN. */
  apiRequestsAnHour: 1_000,
  /** Hosted runners at once: Free, Team, Enterprise. */
  concurrentJobs: [20, 60, 500],
  /** 1 MB, estimated in UTF-16 (github/docs#36846). */
  outputCharacters: 500_000,
  /** Linux, MAX_ARG_STRLEN: an action's input is an environment variable. */
  inputBytes: 131_072,
} as const;

/** Rows that release.yml and validate.yml hand on in one call; more end it with an error. */
export const ROWS_A_CALL = 400;

/** What a build takes and leaves behind. Assumed for images with Python and an ML library; your own figures go here. */
export const BUILD = {
  /** Without a cache. Assumed. */
  coldSeconds: { slim: 120, cpu: 240, gpu: 600 } satisfies Record<Variant, number>,
  /** Of a build with its cache to one without: measured ("warm, one source file changed", bench/RESULTS.md). */
  warmShare: 0.63,
  /** Until a job's first step of ours runs: a runner, the checkout, the archive of the actions. Assumed. */
  startSeconds: 20,
  /** Layers of a base image, which all its services share. Assumed, compressed: Debian, Python, CUDA's runtime. */
  baseBytes: { slim: 60e6, cpu: 400e6, gpu: 2.5e9 } satisfies Record<Variant, number>,
  /** Layers of a service's own packages. Assumed. */
  packageBytes: 40e6,
  /** Layers of a service's sources. Assumed. */
  sourceBytes: 2e6,
} as const;

/** What our own steps send and take. */
export const STEPS = {
  /** Planning 1,000 images: under 2 s of a job that is started for it (bench/RESULTS.md, "planning"). */
  planSeconds: 2,
  /** The job all-passed looks at results alone. */
  passedSeconds: 1,
  /** 20 images × 3 tags took 7.268 s (bench/RESULTS.md, "Publishing"). */
  secondsATag: 7.268 / 60,
  /** Requests to the registry for one tag of an image of two platforms (bench/RESULTS.md, "Publishing"). */
  registryRequestsATag: 6.667,
  /** A row's own tag, by which it is found again: looked for and written (src/core/registry/inputs-tag.ts). */
  registryRequestsARecord: 2,
  /** A row's image by that tag. */
  registryRequestsALookUp: 1,
  /** A row's build record: written in three, read in two (src/core/handoff/artifact-service.ts). */
  artifactRequestsARow: 5,
  /** The default rules on a branch: the branch, `latest`, the commit. */
  tagsOfBranch: 3,
  /** The default rules on a version: `1.2.3`, `1.2`, `1`, `v1.2.3`, `latest`, the commit. */
  tagsOfVersion: 6,
  /** What metadata-tags asks the API on a version; on a branch it asks nothing (bench/RESULTS.md, "Tags"). */
  apiRequestsOfVersion: 1,
} as const;
