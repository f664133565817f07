import type { Environment } from '../../core/runner/commands.ts';
import type { InputsOf } from '../../core/runner/contract.ts';
import { ConfigurationError } from '../../core/runner/errors.ts';
import { type Flavor, parseFlavor } from '../../core/tags/flavor.ts';
import { parseImageNames } from '../../core/tags/image-names.ts';
import { parseAnnotationLevels } from '../../core/tags/labels.ts';
import { type InputLine, readLines } from '../../core/tags/records.ts';
import { parseRules, type Rule } from '../../core/tags/rules.ts';
import { type NamedVariant, namedVariants } from '../../core/tags/variants.ts';
import type { contract } from './contract.ts';

/** What decides over the plan: the inputs and environment switches, each read in its own grammar. */
export interface Settings {
  readonly context: 'workflow' | 'git';
  readonly latestGuard: boolean;
  /** Refs that the user names: in full, or branches by their short name. */
  readonly knownRefs: readonly string[];
  readonly variants: readonly NamedVariant[];
  readonly hasMatrix: boolean;
  readonly hasImages: boolean;
  /** Undefined when the user gave no rule: the suite's own then hold. */
  readonly rules: readonly Rule[] | undefined;
  readonly flavor: Flavor;
  readonly labels: readonly InputLine[];
  readonly annotations: readonly InputLine[];
  readonly annotationLevels: readonly string[];
  readonly shortShaLength: number;
  readonly usePullRequestHead: boolean;
  readonly exportsOutputs: boolean;
  readonly separators: { readonly tags: string; readonly labels: string; readonly annotations: string };
}

/** Reads what the contract leaves as lines, and docker/metadata-action's switches. Throws ConfigurationError. */
export function readSettings(inputs: InputsOf<typeof contract>, environment: Environment): Settings {
  const rules = inInput('tags', () => parseRules(inputs.tags.join('\n')));
  const images = inInput('images', () => parseImageNames(inputs.images.join('\n')));
  return {
    context: inputs.context,
    latestGuard: inputs.latestGuard,
    knownRefs: inputs.knownRefs,
    variants: namedVariants({
      images,
      rows: inputs.matrix,
      variant: inputs.variant ?? '',
      defaultVariant: inputs.defaultVariant ?? '',
    }),
    hasMatrix: inputs.matrix !== undefined,
    hasImages: images.length > 0,
    rules: rules.length === 0 ? undefined : rules,
    flavor: inInput('flavor', () => parseFlavor(inputs.flavor.join('\n'))),
    labels: inInput('labels', () => readLines(inputs.labels.join('\n'))),
    annotations: inInput('annotations', () => readLines(inputs.annotations.join('\n'))),
    annotationLevels: parseAnnotationLevels(environment['DOCKER_METADATA_ANNOTATIONS_LEVELS'] ?? ''),
    shortShaLength: parseShaLength(environment['DOCKER_METADATA_SHORT_SHA_LENGTH'] ?? ''),
    usePullRequestHead: /true/i.test(environment['DOCKER_METADATA_PR_HEAD_SHA'] ?? ''),
    exportsOutputs: parseGoBoolean(
      'DOCKER_METADATA_SET_OUTPUT_ENV',
      environment['DOCKER_METADATA_SET_OUTPUT_ENV'] ?? '',
    ),
    separators: {
      tags: separatorOf('sep-tags', inputs.sepTags, environment),
      labels: separatorOf('sep-labels', inputs.sepLabels, environment),
      annotations: separatorOf('sep-annotations', inputs.sepAnnotations, environment),
    },
  };
}

/** All templates of the settings and of rules; the values of a rule that cannot fire are never rendered. */
export function templatesOf(
  settings: Settings,
  rules: readonly Rule[],
  canFire: (rule: Rule) => boolean = () => true,
): readonly string[] {
  return [
    settings.flavor.prefix,
    settings.flavor.suffix,
    ...[...settings.labels, ...settings.annotations].map(({ text }) => text),
    ...rules.flatMap((rule) => [
      rule.enable,
      rule.prefix ?? '',
      rule.suffix ?? '',
      ...('value' in rule ? [rule.value] : []),
      ...('pattern' in rule && typeof rule.pattern === 'string' && canFire(rule) ? [rule.pattern] : []),
    ]),
  ];
}

/** Puts the input's name in front of what a parser says. */
export function inInput<Value>(name: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new ConfigurationError(`input "${name}": ${cause.message}`, { cause });
  }
}

/** Inputs are trimmed as they are read; a separator may be blanks alone, or end with them. */
function separatorOf(name: string, read: string, environment: Environment): string {
  return environment[`INPUT_${name.toUpperCase()}`] || read;
}

const SHORTEST_SHA = 4;
const LONGEST_SHA = 64;

function parseShaLength(text: string): number {
  if (text === '') return 7;
  const length = /^\d{1,2}$/.test(text.trim()) ? Number(text) : 0;
  if (length >= SHORTEST_SHA && length <= LONGEST_SHA) return length;
  throw new ConfigurationError(
    `DOCKER_METADATA_SHORT_SHA_LENGTH is "${text}"; it must be a whole number from ${SHORTEST_SHA} to ${LONGEST_SHA}`,
  );
}

/** The spellings of Go's strconv.ParseBool, which docker/metadata-action takes; default true. */
function parseGoBoolean(name: string, text: string): boolean {
  if (['', '1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new ConfigurationError(`${name} is "${text}"; it must be true or false`);
}
