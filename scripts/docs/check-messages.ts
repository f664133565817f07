import type { Finding } from './finding.ts';

/**
 * Messages of a troubleshooting table (the code in the first cell of a row) that the sources do not print. `…` stands
 * for what a message fills in.
 */
export function checkMessages(file: string, markdown: string, sources: string): readonly Finding[] {
  return markdown.split('\n').flatMap((line, index) => {
    const [, message] = /^\|\s*`([^`]+)`/.exec(line) ?? [];
    const missing = message?.split('…').find((part) => !sources.includes(part.trim()));
    return missing === undefined ? [] : [{ file, line: index + 1, message: `nothing in src says "${missing.trim()}"` }];
  });
}
