// Adds up what the tests and the gates counted, for a reader who sees the last line alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../.cache/tally');
const parts = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
const sum = (field) => parts.reduce((total, part) => total + part[field], 0);
if (sum('passed') === 0) {
  console.error('nothing was run');
  process.exit(1);
}
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
