import { posix } from 'node:path';
import type { Row } from '../images/row.ts';
import { ConfigurationError } from '../runner/errors.ts';
import { type BakeTarget, targetName } from './bake-definition.ts';

/** True for contexts that BuildKit fetches itself: Git and HTTP addresses, images, other targets, standard input. */
export function isRemoteContext(context: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/|target:|docker-image:|oci-layout:|-$)/i.test(context);
}

/**
 * What a row says of its build. Contexts that name another row become that row's target, so that both are built in
 * one graph. Throws ConfigurationError when the other row is not among `rows`.
 */
export function rowTarget(row: Row, rows: readonly Row[]): BakeTarget {
  const contexts = Object.entries(row.contexts).map(([name, context]): [string, string] => [
    name,
    rowContext(row, context, rows),
  ]);
  const isInline = row.build['dockerfile-inline'] !== undefined;
  return {
    ...row.build,
    context: row.context,
    ...(isInline ? {} : { dockerfile: dockerfileFrom(row.context, row.dockerfile) }),
    ...(row.target === '' ? {} : { target: row.target }),
    ...(Object.keys(row.args).length === 0 ? {} : { args: row.args }),
    ...(contexts.length === 0 ? {} : { contexts: Object.fromEntries(contexts) }),
    platforms: [row.platform],
  };
}

function rowContext(row: Row, context: string, rows: readonly Row[]): string {
  if (!context.startsWith('row:')) return context;
  const id = context.slice('row:'.length);
  if (!rows.some((other) => other.id === id)) {
    throw new ConfigurationError(
      `row "${row.id}" is built from row "${id}": give both rows to one step, as a JSON list`,
    );
  }
  return `target:${targetName(id)}`;
}

/** The paths in the repository that a row's build reads: none of them may lead out of it. */
export function rowPaths(row: Row): readonly string[] {
  const contexts = Object.values(row.contexts).filter(
    (context) => !isRemoteContext(context) && !context.startsWith('row:'),
  );
  return [row.context, ...contexts].filter((path) => !isRemoteContext(path)).concat(row.dockerfile);
}

/** A Dockerfile's path as bake takes it: relative to the context when that is a folder. */
export function dockerfileFrom(context: string, dockerfile: string): string {
  if (isRemoteContext(context) || posix.isAbsolute(dockerfile)) return dockerfile;
  return posix.isAbsolute(context)
    ? posix.join(posix.resolve(), dockerfile)
    : posix.relative(posix.normalize(context), posix.normalize(dockerfile));
}

/** Bake targets' names for rows, which must stay different when signs that bake does not take are replaced. */
export function nameRows(rows: readonly Row[]): ReadonlyMap<string, Row> {
  const names = new Map<string, Row>();
  for (const row of rows) {
    const name = targetName(row.id);
    const other = names.get(name);
    if (other !== undefined)
      throw new ConfigurationError(`the rows "${other.id}" and "${row.id}" cannot be told apart in one build`);
    names.set(name, row);
  }
  return names;
}
