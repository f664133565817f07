// Stands in for Vite: names every asset by its content, writes source maps, and bakes VITE_API_URL into the script.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';

const api = process.env.VITE_API_URL;
if (!api) throw new Error('VITE_API_URL is not set: the frontend would call no server');

mkdirSync('build/assets', { recursive: true });
cpSync('public', 'build', { recursive: true });
let page = readFileSync('index.html', 'utf8');
for (const name of readdirSync('src')) {
  const source = readFileSync(`src/${name}`, 'utf8').replaceAll('import.meta.env.VITE_API_URL', JSON.stringify(api));
  const type = extname(name);
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 12);
  const asset = `assets/${name.slice(0, -type.length)}-${hash}${type}`;
  writeFileSync(`build/${asset}`, `${source}${type === '.js' ? `//# sourceMappingURL=${name}.map\n` : ''}`);
  writeFileSync(`build/assets/${name}.map`, JSON.stringify({ version: 3, sources: [name], mappings: '' }));
  page = page.replaceAll(`/src/${name}`, `/${asset}`);
}
writeFileSync('build/index.html', page);
console.log(`built ${readdirSync('build', { recursive: true }).length} entries for ${api}`);
