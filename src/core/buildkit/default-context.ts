import type { RunnerEvent } from '../runner/event.ts';

/**
 * The repository at the event's commit, as a context that BuildKit fetches itself: what docker/build-push-action
 * builds when no `context` is given. On pull requests it is the merge ref, because the merge commit is on no branch.
 */
function defaultGitContext({ serverUrl, repository, ref, sha }: RunnerEvent): string {
  const commit = sha !== '' && !ref.startsWith('refs/pull/') ? sha : ref;
  return `${serverUrl}/${repository}.git#${commit}`;
}

/** Puts the default context where the text says `{{defaultContext}}`. */
export function expandContext(text: string, event: RunnerEvent): string {
  return text.replace(/\{\{\s*defaultContext\s*\}\}/g, () => defaultGitContext(event));
}
