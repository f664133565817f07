import type { Log } from '../../core/runner/log.ts';
import type { TagPlan } from '../../core/tags/plan.ts';

/** Says in the log what a person should know. Returns why the step must fail: tags that collide, unless told to warn. */
export function reportPlan(plan: TagPlan, onCollision: 'error' | 'warn', log: Log): string | undefined {
  for (const notice of plan.notices) log.notice(notice);
  for (const warning of plan.warnings) log.warning(`input "tags": ${warning}`);
  if (plan.version === undefined) log.warning('no rule of "tags" gave a tag for this run; the job summary says why');
  for (const tag of plan.tags) log.info(tag);
  if (plan.collisions.length === 0) return undefined;
  const message = `two things would be written under one name: ${plan.collisions.join('; ')}`;
  if (onCollision === 'error') return `${message}. Give one of them a prefix, or set "on-collision: warn"`;
  log.warning(message);
  return undefined;
}
