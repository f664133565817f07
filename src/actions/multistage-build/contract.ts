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
    platforms: list({ description: 'Platforms to build for. Default: the builder’s own.' }),
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
      description: 'Name the cache is kept under. Default: the row’s, else one of Dockerfile, target and platforms.',
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

    builder: text({ description: 'Builder to use. Default: the current one.' }),
    driver: choice(['auto', 'docker-container'], {
      description:
        '`auto` uses the current builder, and creates one in a container only where the current one can export neither caches nor images; `docker-container` always creates one. What was created is removed after the job.',
      default: 'auto',
    }),
    'driver-opts': list({ description: 'Options for a builder that is created, such as `image=…` or `network=host`.' }),
    timeout: duration({ description: 'Longest time for one build.', default: '5h' }),

    'max-size': bytes({ description: 'Largest size of the compressed layers of one platform, such as `500MB`.' }),
    require: list({ description: 'What the image must have: `non-root`, `healthcheck`.' }),
    'forbid-paths': globs({ description: 'Files that no layer may hold, such as `**/.env`; `!` excludes.' }),
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
        'Bytes of the compressed layers; with several images, of all of them. Known where a check or a push by digest reads the image.',
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
