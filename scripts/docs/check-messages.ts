import type { Finding } from './finding.ts';

/**
 * Messages that the sources do not print, of the tables whose first column is called `message` (the code in the first cell
 * of a row). `…` stands for what a message fills in.
 */
export function checkMessages(file: string, markdown: string, sources: string): readonly Finding[] {
  const findings: Finding[] = [];
  let isOfMessages = false;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (!line.startsWith('|')) isOfMessages = false;
    if (/^\|\s*message\s*\|/.test(line)) isOfMessages = true;
    const [, message] = (isOfMessages ? /^\|[^`|]*`([^`]+)`/.exec(line) : null) ?? [];
    const missing = message?.split('…').find((part) => !sources.includes(part.trim()));
    if (missing !== undefined) findings.push({ file, line: index + 1, message: `nothing says "${missing.trim()}"` });
  }
  return findings;
}
