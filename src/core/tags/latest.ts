import type { Flavor } from './flavor.ts';
import type { Fired, Judgement } from './judge-rule.ts';

/** Whether the flavor adds `latest` to a run's tags. */
export interface LatestDecision {
  /** `latest`, with what the flavor puts around it. */
  readonly name: string;
  readonly isAdded: boolean;
  /** True where it was asked for, and the guard refused it. */
  readonly isWithheld: boolean;
  readonly reason: string;
}

/** Decides over the flavor's `latest`: in `auto` the first rule that fired does (docker/metadata-action, "latest tag"). */
export function decideLatest(
  name: string,
  { latest }: Flavor,
  [first]: readonly Fired[],
  refusal: string | undefined,
): LatestDecision {
  const leave = (reason: string): LatestDecision => ({ name, isAdded: false, isWithheld: false, reason });
  if (first === undefined) return leave('no rule gave a tag');
  if (latest === 'false') return leave('the flavor says latest=false');
  if (latest === 'auto' && !first.isLatest)
    return leave(`the first rule that fired (${first.rule.text}) does not ask for it`);
  if (refusal !== undefined) return { name, isAdded: false, isWithheld: true, reason: refusal };
  return {
    name,
    isAdded: true,
    isWithheld: false,
    reason:
      latest === 'true' ? 'the flavor says latest=true' : `the first rule that fired (${first.rule.text}) asks for it`,
  };
}

/** The flavor's name for latest. Its expressions are rendered; docker/metadata-action v6.2 writes `latest--sha-`. */
export function nameOfLatest({ flavor, render, view }: Judgement): string {
  const prefix = flavor.isPrefixOnLatest ? render(flavor.prefix, view) : '';
  const suffix = flavor.isSuffixOnLatest ? render(flavor.suffix, view) : '';
  return `${prefix}latest${suffix}`;
}
