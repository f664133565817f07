import { parseRows } from '../../core/images/row.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import {
  boolean,
  choice,
  defineContract,
  globs,
  lines,
  list,
  map,
  parsed,
  secret,
  text,
} from '../../core/runner/contract.ts';

export const contract = defineContract({
  name: 'ghcr-publish',
  title: 'Slipway registry publish',
  description:
    'Gives names to what was built, in one step from digests to tags: every variant and platform of a release must be there first. Promotes an image that exists without building it again. For GHCR and every other OCI registry.',
  branding: { icon: 'upload-cloud', color: 'blue' },
  post: true,
  inputs: {
    from: choice(['builds'], {
      description:
        '`builds` collects what the multistage-build jobs of this run left for the rows of `matrix`; a row that `exists` is found by its inputs. Else give `sources`, `local` or `promote`.',
    }),
    matrix: parsed(parseRows, {
      description: 'The output `matrix` of build-matrix: the images, variants and platforms that must all be there.',
    }),
    sources: lines({
      description:
        'What was built, one a line: a reference, or `image=…,variant=…,platform=…,ref=…`. Lines of one image and variant become one index over their platforms. A digest alone stands in the repository of `tags`.',
    }),
    promote: lines({
      description:
        'Images that exist, one a line as in `sources`: each gets the new tags as it is, with its digest, and no layer is moved within a registry. Or the word `inputs`: the rows of `matrix`, each found by the digest of what it is made of, where an earlier run published it.',
    }),
    local: lines({
      description:
        "Images of this machine's engine, one a line as in `sources`: `app:ci`, or `variant=gpu,ref=app:ci-gpu`. They are pushed by digest first. Docker 25 or newer.",
    }),
    'record-inputs': boolean({
      description:
        'Gives each row of `matrix` a tag `inputs-…` of its inputs beside the release, by which a later run finds and promotes it.',
      default: true,
    }),
    images: lines({
      description:
        'Repositories for tags that stand in `tags` without a name, and for `retain`, one a line: `ghcr.io/acme/app`. `{image}` stands for each image.',
    }),
    tags: lines({
      description:
        'Names to give: references, one a line; or the output `json` or `matrix-tags` of metadata-tags. With variants, a reference belongs to the one whose ending it has.',
    }),
    registry: text({
      description: 'The registry of names that hold no host, and the one to log in to.',
      default: 'ghcr.io',
    }),
    username: text({ description: 'The user of `password`.', default: '${{ github.actor }}' }),
    password: secret({
      description:
        "A token that may write packages. The default one needs `packages: write` and is sent to GitHub's own registry only. Other registries are asked with an earlier login of the job.",
      default: '${{ github.token }}',
    }),
    'github-token': secret({
      description:
        'Compares commits for `latest-guard` (`contents: read`), keeps attestations, and deletes what `retain` lets go.',
      default: '${{ github.token }}',
    }),
    expect: list({
      description:
        'Platforms that must be there, as `linux/arm64` or, for one variant, `gpu=linux/amd64`. Rows of `matrix` are expected anyway.',
    }),
    'unknown-platforms': choice(['allow', 'reject'], {
      description:
        'Whether an index may hold `unknown/unknown` entries, which are attestations and which some old clients stumble over.',
      default: 'allow',
    }),
    'immutable-tags': globs({
      description:
        'Tags that are never moved to another digest, as globs; the last that matches decides, `!` excludes.',
      default: '[0-9]*.[0-9]*.[0-9]*\nv[0-9]*.[0-9]*.[0-9]*\nsha-*',
    }),
    'latest-guard': boolean({
      description:
        'Leaves a moving tag where it is when its image has a higher version, or was built from a later commit of the same line. Reads `org.opencontainers.image.version` and `.revision`. Turn it off to roll back.',
      default: true,
    }),
    annotations: lines({
      description:
        'Annotations, `key=value`, one a line, of the index; with `manifest-descriptor:` or `manifest-descriptor[linux/arm64]:` in front of its entries. `manifest:` is left to the build. A promoted image with annotations gets an index of its own.',
    }),
    labels: map({
      description:
        'Labels, `key=value`, one a line, as annotations of the index: what an image is labelled with cannot be changed after its build. `annotations` go before them.',
    }),
    attest: choice(['auto', 'true', 'false'], {
      description:
        "Signs SLSA provenance of what is published, and keeps it as GitHub's attestation, before the first tag is written. `auto`: in runs of a `release` event. Needs `id-token: write` and `attestations: write`.",
      default: 'auto',
    }),
    sigstore: map({
      description:
        "A Sigstore instance of one's own, as `fulcio=https://…`, `rekor=https://…` and `tsa=https://…`, one a line. Without it the public one signs for public repositories, GitHub's own for all others.",
    }),
    retain: lines({
      description:
        "What of GitHub's packages is kept, one rule a line: `pattern=sha-*,newest=20,age=30d`, `closed=pr-{number}`, `untagged=7d`. Applied last, to the packages of `tags` and `images`; also alone, with nothing to publish.",
    }),
    logout: boolean({
      description:
        'Leaves no login behind when the step ends. `false` keeps it for the later steps of the job, in a folder of its own that the output `docker-config` names and that is removed after the job.',
      default: true,
    }),
    'dry-run': boolean({
      description: 'Says what would be written and deleted, and does neither.',
      default: false,
    }),
  },
  outputs: {
    digest: { description: 'The digest that was published, when it is one image in one variant.' },
    digests: { description: 'JSON of digests by image and variant, as `{"worker":{"gpu":"sha256:…"}}`.' },
    tags: { description: 'References that name what was published, one a line.' },
    published: { description: 'JSON list of `image`, `variant`, `platforms`, `digest` and `tags`.' },
    skipped: { description: 'JSON list of tags that were not written: `tag`, `reason`, and the digest it names.' },
    url: { description: 'The page of the package.' },
    attestations: { description: 'Pages of the attestations that this run made, one a line.' },
    deleted: {
      description: 'JSON list of what `retain` deleted: `image` with its digest, `tags`, `reason`.',
    },
    'docker-config': {
      description: 'With `logout: false`, a folder for `DOCKER_CONFIG` in which the registry is logged in.',
    },
  },
});

export type PublishInputs = InputsOf<typeof contract>;
