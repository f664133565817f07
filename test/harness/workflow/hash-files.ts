/** The `hashFiles()` function: SHA-256 over the SHA-256 of each matching file, empty when none matches. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export function hashFiles(workspace: string, patterns: readonly string[]): string {
  const expressions = patterns
    .flatMap((pattern) => pattern.split(/\r?\n/))
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '' && !pattern.startsWith('#'))
    .map((pattern) => ({ isNegative: pattern.startsWith('!'), expression: globToRegExp(pattern.replace(/^!/, '')) }));
  const files = listFiles(workspace).filter((file) => {
    let isMatch = false;
    for (const { isNegative, expression } of expressions) if (expression.test(file)) isMatch = !isNegative;
    return isMatch;
  });
  if (files.length === 0) return '';
  const hash = createHash('sha256');
  for (const file of files)
    hash.update(
      createHash('sha256')
        .update(readFileSync(join(workspace, file)))
        .digest(),
    );
  return hash.digest('hex');
}

function listFiles(workspace: string): readonly string[] {
  return readdirSync(workspace, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(workspace, join(entry.parentPath, entry.name)))
    .sort();
}

/** The globs of @actions/glob: `*`, `**` as whole segments, `?`, `[ ]`; a folder stands for all it holds. */
function globToRegExp(pattern: string): RegExp {
  const segments = pattern.replace(/^\.\//, '').replace(/\/$/, '').split('/');
  let source = '';
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '**') {
      source += isLast ? '.+' : '(?:.+/)?';
      continue;
    }
    source += segment
      .replace(/[\\^$.+(){}|]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]');
    source += isLast ? '(?:/.+)?' : '/';
  }
  return new RegExp(`^${source}$`, 's');
}
