import { parseGrowth } from '../../core/buildkit/image-rules.ts';
import { parseRows } from '../../core/images/row.ts';
import {
  boolean,
  bytes,
  choice,
  defineContract,
  duration,
  globs,
  type InputsOf,
  lines,
  list,
  parsed,
  secret,
  text,
} from '../../core/runner/contract.ts';
import { parseVariants } from './variants.ts';

export const contract = defineContract({
  name: 'multistage-build',
  title: 'Slipway multistage build',
  description:
    'Builds one image, or several variants of it in one graph, with BuildKit: with caches that do not collide, a log that shows stages, and checks on the result. Takes a row of build-matrix, or the inputs of docker/build-push-action under the same names.',
  branding: { icon: 'layers', color: 'blue' },
  post: true,
  inputs: {
    image: parsed(parseRows, {
      description:
        'What to build: a row of build-matrix (`${{ toJSON(matrix) }}`), or a JSON list of rows, which are built in one graph so that they share stages. Without it, the inputs below say what to build.',
    }),
    context: text({
      description:
        'Folder or address that the build reads from. Default without a row: the repository at this commit, fetched by BuildKit; `{{defaultContext}}` in a text stands for it.',
    }),
    file: text({ description: 'Path of the Dockerfile. Default: `Dockerfile` in the context.' }),
    target: text({ description: 'Stage to build. Default: the last one.' }),
    'build-args': lines({
      description:
        'Build arguments as `NAME=value`; `NAME` alone takes the environment’s value. Added to those of a row.',
    }),
    'build-contexts': lines({ description: 'Named contexts as `name=path or address`. Added to those of a row.' }),
    variants: parsed(parseVariants, {
      description:
        'Several images of one context, built in one graph so that they share stages: YAML of names with `args`, `target`, `file`, `suffix` (default `-name`, added to each tag) and `cache-mode`.',
    }),
    platforms: list({
      description: 'Platforms to build for; a builder that is created is told them. Default: the builder’s own.',
    }),
    tags: list({ description: 'References that the image is pushed or loaded under.' }),
    labels: lines({
      description:
        'Labels as `key=value`. They win over those that are set by default: `org.opencontainers.image.*` and `dev.slipway.inputs`.',
    }),
    annotations: lines({ description: 'Annotations as `[level:]key=value`.' }),
    'add-hosts': list({ description: 'Host names as `name:address` that the build’s commands can reach.' }),
    network: text({ description: 'Network of the build’s commands: `default`, `none` or `host`.' }),
    allow: list({
      description:
        'What the build may do beside building: `network.host`, `security.insecure`, or folders outside of the workspace as `fs.read=…`.',
    }),
    'shm-size': text({ description: 'Size of `/dev/shm` in the build’s commands, such as `2g`.' }),
    ulimit: list({ description: 'Limits of the build’s commands, such as `nofile=1024:1024`.' }),
    'cgroup-parent': text({
      description:
        'Control group above those of the build’s commands. Bake knows no such thing: the build is then one of `docker buildx build`, of one image from a file, without exports.',
    }),
    call: choice(['build', 'check', 'outline', 'targets'], {
      description:
        '`build` builds; `check` runs BuildKit’s checks of the Dockerfile alone, and fails where they find something; `outline` and `targets` print the arguments and the stages there are.',
      default: 'build',
    }),
    'no-cache': boolean({ description: 'Builds every step again.', default: false }),
    'no-cache-filters': list({ description: 'Stages of which every step is built again.' }),
    pull: boolean({ description: 'Looks for newer base images than the builder holds.', default: false }),
    secrets: lines({
      description:
        'Secrets as `id=value`, for `RUN --mount=type=secret`. They are masked and reach the build through its environment only.',
    }),
    'secret-envs': list({ description: 'Secrets as `id=VARIABLE`, from the environment.' }),
    'secret-files': list({ description: 'Secrets as `id=path`, from files.' }),
    ssh: list({ description: 'SSH agent sockets or keys for `RUN --mount=type=ssh`.' }),
    outputs: lines({ description: 'Further outputs, as BuildKit writes them: `type=local,dest=out`.' }),
    attests: lines({ description: 'Attestations, as BuildKit writes them: `type=sbom,generator=…`.' }),
    provenance: text({
      description:
        '`false`, `true`, or attributes such as `mode=max`. Default: `mode=max` for what is pushed from a public repository, `mode=min` from a private one, none for what is not pushed.',
    }),
    sbom: text({ description: '`true` adds a software bill of materials; or attributes of its generator.' }),
    'github-token': secret({ description: 'Token to fetch the default context with.', default: '${{ github.token }}' }),

    push: choice(['false', 'true', 'by-digest'], {
      description:
        '`false` builds for validation; `true` pushes `tags`; `by-digest` pushes without a tag, for ghcr-publish to name.',
      default: 'false',
    }),
    load: boolean({ description: 'Loads the image into the local engine.', default: false }),
    repository: text({
      description:
        'Repository for pushes by digest and for the registry cache, in lower case whatever is given. `{image}` stands for the row’s image, `{registry}` for the input of that name.',
      default: '{registry}/${{ github.repository }}/{image}',
    }),
    registry: text({ description: 'Host of the registry that is logged in to.', default: 'ghcr.io' }),
    username: text({ description: 'Name to log in with.', default: '${{ github.actor }}' }),
    password: secret({
      description:
        'Password or token to log in with. The default is sent to GitHub’s own registry only, and an earlier login of the job is used before it.',
      default: '${{ github.token }}',
    }),
    export: lines({
      description:
        'Folders to copy out of the build into the workspace, as `stage:/path=folder`; without `stage:` out of the image. A row may name one too.',
    }),

    cache: choice(['gha', 'registry', 'local', 'off'], {
      description:
        'Where the build cache lives: GitHub’s cache, beside the image in the registry, a folder, or nowhere. A cache that is down, full or slow never fails a build.',
      default: 'gha',
    }),
    'cache-mode': choice(['min', 'max'], {
      description: '`max` keeps the steps of all stages, `min` those of the last. Default: the row’s, else `max`.',
    }),
    'cache-scope': text({
      description:
        'Name the cache is kept under. Default: the row’s, else one of the first tag’s image, context, Dockerfile, target, variant and platforms.',
    }),
    'cache-folder': text({ description: 'Folder of `cache: local`, which must outlive the job.' }),
    'cache-timeout': duration({
      description: 'How long a cache may take to be read or written; then the build is done without it.',
      default: '10m',
    }),
    'cache-from': lines({
      description: 'Caches to read, as BuildKit writes them. With this or `cache-to`, `cache` has no say.',
    }),
    'cache-to': lines({ description: 'Caches to write, as BuildKit writes them.' }),

    'cache-budget': bytes({
      description:
        'Bytes of GitHub’s cache that all images share. An image whose cache would not fit its share keeps it in the registry, and says so. Judged is the size of the image that is `published`, times 1.5 with `cache-mode: max`; an image that was never published is not judged.',
      default: '10GB',
    }),
    'cache-rows': text({
      description:
        'Among how many jobs the budget is shared, each of which shares its part among its images. A row of build-matrix says itself how many rows there are, whether they are built or not.',
      default: '${{ strategy.job-total }}',
    }),
    'cache-mounts': choice(['auto', 'off'], {
      description:
        '`auto` keeps the folders of `RUN --mount=type=cache` (of pip, npm, cargo, apt and their like) in GitHub’s cache, and fills those that are empty before the build. It does so where `cache` is not `off`.',
      default: 'auto',
    }),

    builder: text({ description: 'Builder to use. Default: the current one.' }),
    driver: choice(['auto', 'docker', 'docker-container', 'remote', 'kubernetes'], {
      description:
        '`auto` uses the current builder, and creates one in a container only where the current one can export neither caches nor images; `docker` uses the engine’s own; the others always create one. What was created is removed after the job.',
      default: 'auto',
    }),
    endpoint: text({
      description:
        'Where a builder that is created runs: address of a BuildKit daemon for `remote`, context of Docker or of Kubernetes for the others.',
    }),
    'driver-opts': lines({
      description: 'Options for a builder that is created, such as `image=…` or `network=host`, one a line.',
    }),
    'buildkitd-config': text({ description: 'Path of a `buildkitd.toml` for a builder that is created.' }),
    'free-disk-space': choice(['auto', 'true', 'false'], {
      description:
        'Removes tools that a hosted runner brings and a build does not use, unless the job runs in a container. `auto` does so for images that are made for GPUs, when less is free than they are likely to need.',
      default: 'auto',
    }),
    timeout: duration({ description: 'Longest time for one build.', default: '5h' }),

    'max-size': bytes({ description: 'Largest size of the compressed layers of one platform, such as `500MB`.' }),
    'max-growth': parsed(parseGrowth, {
      description: 'How much larger than the published image it may be: `10%` or `50MB`.',
    }),
    published: text({
      description:
        'Reference of the published image that growth is measured against. Default: `latest` with the row’s suffix in `repository`.',
    }),
    'max-export-size': bytes({ description: 'Largest size of the files of one exported folder.' }),
    require: list({
      description: 'What the image must have, or be: `non-root`, `healthcheck`, `labels`, `no-build-tools`.',
    }),
    'forbid-paths': globs({
      description: 'Files that no layer and no exported folder may hold, such as `**/.env`; `!` excludes.',
    }),
    smoke: lines({
      description:
        'What the image must do before it is published, one a line: a command that is run in it, `healthcheck` to wait for its own, or `port 8080 /path` to ask it.',
    }),
    'smoke-timeout': duration({ description: 'How long one smoke test may take.', default: '2m' }),
    'dockerfile-checks': boolean({
      description: 'Shows what BuildKit’s own checks say of the Dockerfile as annotations.',
      default: true,
    }),
  },
  outputs: {
    digest: { description: 'Digest of the image, when one was built.' },
    digests: { description: 'JSON object: digests by row id.' },
    imageid: { description: 'Id of the image’s configuration.' },
    metadata: { description: 'JSON that buildx tells of the build.' },
    refs: { description: 'References with digest that were pushed, one a line.' },
    size: {
      description:
        'Bytes of the compressed layers; with several images, of all of them. Known where the image is pushed or checked.',
    },
    layers: {
      description:
        'JSON object: by row id and platform, the layers with `digest`, `size` and the `instruction` that made them.',
    },
    'export-path': { description: 'Folders that were exported, relative to the workspace, one a line.' },
    'cache-hits': { description: 'JSON object: `cached` of `steps`.' },
    timings: {
      description:
        'JSON object: `duration` and, by stage, `start`, `duration`, `steps` and `cachedSteps`; times in milliseconds.',
    },
    definition: { description: 'The bake definition that was built.' },
    inputs: { description: 'Input digest of the row; with several rows, a JSON object by row id.' },
  },
});

export type BuildInputs = InputsOf<typeof contract>;
