import { emptyBakedArguments } from '../../core/buildkit/baked-arguments.ts';
import { argumentsLikeSecrets } from '../../core/buildkit/build-secrets.ts';
import type { Environment } from '../../core/runner/commands.ts';
import type { ImageRequest } from './image-requests.ts';

/** What is likely wrong with build arguments, each said once for all images. */
export function argumentWarnings(requests: readonly ImageRequest[], environment: Environment): readonly string[] {
  const given = requests.map(({ target }) => target.args ?? {});
  const secret = new Set(given.flatMap((args) => argumentsLikeSecrets(Object.keys(args))));
  const empty = new Set(given.flatMap((args) => emptyBakedArguments(args, environment)));
  return [
    ...[...secret].map(
      (name) =>
        `the build argument "${name}" looks like a secret; arguments stand in the image's history and provenance: use "secrets" and RUN --mount=type=secret`,
    ),
    // A workflow's `${{ vars.NAME }}` is an empty text when nobody has set the variable; nothing else would say so.
    ...[...empty].map(
      (name) =>
        `the build argument "${name}" is empty, and frontends have such values baked in: set what it is taken from, or leave the argument out`,
    ),
  ];
}
