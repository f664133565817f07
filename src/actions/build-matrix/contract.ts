import { choice, defineContract, globs, integer, list, map, text } from '../../core/runner/contract.ts';

export const contract = defineContract({
  name: 'build-matrix',
  title: 'Slipway build matrix',
  description:
    'Reads what each image of a repository is made of, and says which rows (image × variant × platform) this event must build, in what order, and why. Needs a checkout with git, and no more permission than contents: read.',
  branding: { icon: 'grid', color: 'blue' },
  post: false,
  inputs: {
    config: text({
      description:
        'File of image definitions, committed, relative to the repository root. Default: .github/images.yml if it is there. Without one, compose files are read, then Dockerfiles; the first that yields an image wins.',
    }),
    source: choice(['auto', 'config', 'compose', 'dockerfiles'], {
      description: 'Reads images from this kind of file only.',
      default: 'auto',
    }),
    files: list({
      description: 'Compose files or Dockerfiles to read (paths or globs) instead of those found by their names.',
    }),
    include: globs({
      description: 'Globs over image, variant, image-variant, platform or row id: only these rows are considered.',
    }),
    exclude: globs({
      description: 'Globs over image, variant, image-variant, platform or row id: these rows are left out.',
    }),
    platforms: list({
      description: 'Platforms of images whose definition names none.',
      default: 'linux/amd64',
    }),
    runners: map({
      description:
        'Runner labels by row id, image-variant, image, variant, platform, or default; the most specific wins. Built in: default=ubuntu-24.04 and linux/arm64=ubuntu-24.04-arm.',
    }),
    'changed-only': choice(['auto', 'true', 'false'], {
      description:
        'Whether only rows are built whose inputs changed. auto: on pull requests, merge groups and pushes to branches; everything on tags, releases, schedules, dispatches and other events.',
      default: 'auto',
    }),
    base: text({
      description:
        'Revision to compare with (branch, tag, commit) instead of the one the event gives: the merge base of pull requests and merge groups, the commit before a push.',
    }),
    always: globs({ description: 'Globs over changed paths: one that matches rebuilds everything.' }),
    'max-rows': integer({
      description: 'Rows in one shard. GitHub runs no matrix of more than 256 jobs.',
      default: '256',
      min: 1,
      max: 256,
    }),
    'static-checks': choice(['error', 'warn', 'off'], {
      description:
        'What is done about COPY sources that are missing, ignored or git-ignored, and about empty Dockerfiles: annotations that fail the step, or warnings. Stages that nothing reaches and reads of a whole context are notices.',
      default: 'warn',
    }),
  },
  outputs: {
    matrix: { description: 'The rows as {"include":[…]} for strategy.matrix; valid also when it is empty.' },
    'has-rows': { description: 'true when there is something to build.' },
    count: { description: 'Number of rows.' },
    shards: { description: 'JSON list of matrices of at most max-rows rows each.' },
    'shard-count': { description: 'Number of shards.' },
    waves: {
      description:
        'JSON list of matrices in build order, for images that are built from each other: every row comes after those it needs.',
    },
    brief: {
      description:
        'The matrix without what only builds need: enough for metadata-tags and ghcr-publish, and small, since an input holds at most 128 KB.',
    },
    'wave-shards': {
      description:
        'JSON list of waves in build order, each a JSON list of matrices of at most max-rows rows: one job for each wave calls a workflow with each of its matrices.',
    },
    graphs: {
      description:
        'JSON list of matrices of at most max-rows jobs each, for builds that push nothing: a job for each row that no other is built from, with all rows it is built from in `rows`.',
    },
    images: { description: 'JSON list of the short names of the images that have rows.' },
    reasons: { description: 'JSON object: row id to why it is built.' },
    skipped: { description: 'JSON list of rows that are not built (id, image, variant, platform, reason).' },
  },
});
