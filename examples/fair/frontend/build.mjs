// Stands in for Vite: names assets by their content and bakes the VITE_ variables in.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const variables = Object.entries(process.env).filter(([name]) => name.startsWith('VITE_'));
mkdirSync('dist/assets', { recursive: true });
cpSync('public', 'dist', { recursive: true });
const source = readFileSync('src/main.js', 'utf8').replace('import.meta.env', JSON.stringify(Object.fromEntries(variables)));
const asset = `assets/main-${createHash('sha256').update(source).digest('hex').slice(0, 12)}.js`;
writeFileSync(`dist/${asset}`, source);
writeFileSync('dist/index.html', readFileSync('index.html', 'utf8').replace('/src/main.js', `/${asset}`));
