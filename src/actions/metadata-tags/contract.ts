import { parseRows } from '../../core/images/row.ts';
import { boolean, choice, defineContract, lines, list, parsed, secret, text } from '../../core/runner/contract.ts';

export const contract = defineContract({
  name: 'metadata-tags',
  title: 'Slipway metadata tags',
  description:
    'Turns the event that started the run into image tags, labels and annotations. Takes the inputs of docker/metadata-action as they are, and guards against what goes wrong there: a lost comma, a tag that no registry takes, latest on an old version, two things under one name.',
  branding: { icon: 'tag', color: 'blue' },
  post: false,
  inputs: {
    context: choice(['workflow', 'git'], {
      description: 'Where the ref and the commit come from: the event (`workflow`), or what is checked out (`git`).',
      default: 'workflow',
    }),
    images: lines({
      description:
        'Names to tag, one a line, without a tag: `ghcr.io/acme/app`, or `name=…,enable=false`. `{image}` stands for each image of `matrix`. Without names, tags have none.',
    }),
    tags: lines({
      description:
        "Rules, one a line, such as `type=semver,pattern={{version}}`. Without rules, the suite's own: `latest` on the default branch, the date on a schedule, branch, git tag and version, `pr-<number>`, and `sha-<commit>`.",
    }),
    flavor: lines({
      description:
        '`latest=auto|true|false`, `prefix=…,onlatest=…` and `suffix=…,onlatest=…`, one a line: what holds for all tags.',
    }),
    labels: lines({
      description:
        'Labels to add or to put in place of the known ones, `key=value`, one a line; quotes hold a value of several lines.',
    }),
    annotations: lines({
      description: 'Annotations to add or to put in place of the known ones, `key=value`, one a line.',
    }),
    'sep-tags': text({ description: 'What stands between tags in the outputs `tags` and `tag-names`.', default: '\n' }),
    'sep-labels': text({ description: 'What stands between labels in the output `labels`.', default: '\n' }),
    'sep-annotations': text({
      description: 'What stands between annotations in the output `annotations`.',
      default: '\n',
    }),
    'bake-target': text({
      description: 'The target that the bake definitions are for.',
      default: 'docker-metadata-action',
    }),
    matrix: parsed(parseRows, {
      description:
        'The output `matrix` of build-matrix, or one row of it: tags are made for each image and variant, and `{image}` in `images` is filled in.',
    }),
    variant: text({
      description:
        'The variant that is tagged, such as `gpu`: each tag ends with `-gpu`, and `latest` is `latest-gpu`. Not together with `matrix`.',
    }),
    'default-variant': text({ description: 'The variant that also has the tags without an ending.' }),
    'on-collision': choice(['error', 'warn'], {
      description:
        'What happens when two things would be written under one name, such as branch `pr-2` and pull request 2.',
      default: 'error',
    }),
    'known-refs': list({
      description:
        'Other refs whose tags must not be taken, in full or as names of branches, beside those that the checked-out repository knows.',
    }),
    'latest-guard': boolean({
      description:
        'Leaves `latest`, `1` and `1.2` to the newest version: a pre-release, or a version older than a git tag of the repository, does not take them; nor does a release marked as a pre-release take `latest`.',
      default: true,
    }),
    'github-token': secret({
      description:
        'Reads what the event does not tell of the repository (`contents: read`). May be empty for a public one.',
      default: '${{ github.token }}',
    }),
  },
  outputs: {
    version: { description: 'The first tag: the one of the rule with the highest priority.' },
    tags: { description: 'Whole references, `name:tag`.' },
    'tag-names': { description: 'Tags without names.' },
    labels: { description: 'Labels, `key=value`. One of several lines stands in quotes when lines separate them.' },
    annotations: { description: 'Annotations, `level:key=value`.' },
    json: {
      description:
        'JSON of `tags`, `tag-names`, `labels` (an object) and `annotations`; with `matrix` of `matrix-tags` too.',
    },
    'bake-file': { description: 'Path of a bake definition with tags and labels.' },
    'bake-file-tags': { description: 'Path of a bake definition with tags.' },
    'bake-file-labels': { description: 'Path of a bake definition with labels.' },
    'bake-file-annotations': { description: 'Path of a bake definition with annotations.' },
    'matrix-tags': {
      description:
        'With `matrix`: JSON of whole references by image and variant, `{"worker":{"cpu":["ghcr.io/acme/worker:1.2.3-cpu"]}}`; an image without variants has the key `""`. Else `{}`.',
    },
    'immutable-tag': {
      description:
        'The one tag, without name, that will never name anything else: the full version, else the commit. Empty when no rule gave one.',
    },
  },
});
