import {
  boolean,
  choice,
  defineContract,
  globs,
  integer,
  list,
  map,
  secret,
  text,
} from '../../core/runner/contract.ts';

export const contract = defineContract({
  name: 'build-matrix',
  title: 'Slipway build matrix',
  description:
    'Reads what each image of a repository is made of, and says which rows (image × variant × platform) this event must build, in what order, and why. Needs a checkout with git, and no more permission than contents: read (with registry-check also packages: read).',
  branding: { icon: 'grid', color: 'blue' },
  post: false,
  inputs: {
    config: text({
      description:
        'File of image definitions, committed, relative to the repository root. Default: .github/images.yml if it is there. Without one, bake files are read, then compose files, then Dockerfiles; the first that yields an image wins.',
    }),
    source: choice(['auto', 'config', 'bake', 'compose', 'dockerfiles'], {
      description:
        'Reads images from this kind of file only. Bake files are resolved by docker buildx bake --print, which needs no builder.',
      default: 'auto',
    }),
    files: list({
      description:
        'Bake files, compose files or Dockerfiles to read (paths or globs) instead of those found by their names.',
    }),
    'project-directory': text({
      description: 'Folder that paths in compose files are relative to. Default: the folder of the file.',
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
        'Runner labels by row id, image-variant, image, variant, gpu (rows on a GPU base image), platform, or default; the most specific wins. Built in: default=ubuntu-24.04 and linux/arm64=ubuntu-24.04-arm.',
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
      description:
        'Rows in one shard. GitHub runs no matrix of more than 256 jobs: above that the step fails, unless a workflow of the repository reads the output shards.',
      default: '256',
      min: 1,
      max: 256,
    }),
    'static-checks': choice(['error', 'warn', 'off'], {
      description:
        'What is done about COPY sources that are missing, ignored, git-ignored, or a folder that the stage’s Vite does not write to, empty Dockerfiles, rows that no runner serves, and workflows whose cache scopes collide, whose tag rules never fire or whose trigger branches do not exist: annotations that fail the step, or warnings. Stages that nothing reaches and reads of a whole context are notices.',
      default: 'warn',
    }),
    'registry-check': boolean({
      description:
        'Asks the registry for an image of each row’s inputs. A row that has one is marked exists; on a push, a row that has none is built although nothing changed, so that a failed build is made up for. Not on schedules, which are there to build again.',
      default: false,
    }),
    registry: text({ description: 'Host of the registry that registry-check asks.', default: 'ghcr.io' }),
    repository: text({
      description:
        'Repository that registry-check asks, as in multistage-build. `{image}` stands for the row’s image, `{registry}` for the input of that name.',
      default: '{registry}/${{ github.repository }}/{image}',
    }),
    'github-token': secret({
      description:
        'Token for registry-check (`packages: read`), sent to GitHub’s own registry only. Other registries are asked with an earlier login of the job.',
      default: '${{ github.token }}',
    }),
  },
  outputs: {
    matrix: { description: 'All rows as {"include":[…]} for strategy.matrix; valid also when it is empty.' },
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
