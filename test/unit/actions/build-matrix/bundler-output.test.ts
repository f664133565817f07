import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../core/git/temporary-repository.ts';
import { runPlan } from './plan-step.ts';

interface Frontend {
  /** What the builder does behind `COPY . .`. */
  readonly run?: string;
  readonly script?: string;
  /** Of `vite.config.ts`; without it there is none. */
  readonly config?: string;
  readonly copied?: string;
  readonly more?: Files;
}

function filesOf({ run = 'RUN npm run build', script = 'vite build', config, copied = '/app/dist', more }: Frontend) {
  return {
    'web/Dockerfile': `FROM node:22 AS deps
WORKDIR /app
COPY package.json ./
RUN npm ci && npm cache clean --force
FROM deps AS builder
COPY . .
${run}
FROM nginx:alpine
COPY --from=builder ${copied} /usr/share/nginx/html
`,
    'web/package.json': JSON.stringify({ scripts: { build: script } }),
    'web/index.html': '<!doctype html>\n',
    ...(config === undefined ? {} : { 'web/vite.config.ts': config }),
    ...more,
  };
}

async function findingOf(frontend: Frontend): Promise<string | undefined> {
  await using repository = await TemporaryRepository.create(filesOf(frontend));
  const { log } = await runPlan(repository);
  return log.split('\n').find((line) => line.includes('is made by no step'));
}

const toBuild = `export default defineConfig({\n  build: { target: 'esnext', outDir: 'build' },\n});\n`;

describe('a folder that is copied out of a stage with Vite', () => {
  it('is compared with the one that the configuration names, at the line of the copy', async () => {
    expect(await findingOf({ config: toBuild })).toBe(
      '::warning title=COPY source,file=web/Dockerfile,line=9::"/app/dist" is made by no step of the stage "builder": "vite build" writes to "/app/build" (web/vite.config.ts:2)',
    );
  });

  it.each<[string, Frontend, string]>([
    ['the default', { copied: '/app/build' }, '"/app/dist", its default'],
    ['a configuration that names no folder', { config: 'export default {};\n', copied: '/app/build' }, '"/app/dist"'],
    ['a flag', { script: 'vite build --outDir out' }, '"/app/out" (--outDir out)'],
    ['a command without a package manager', { run: 'RUN npx vite build', config: toBuild }, '"/app/build"'],
    ['a list of words', { run: 'RUN ["node_modules/.bin/vite", "build"]', config: toBuild }, '"/app/build"'],
    [
      'commands that make no folder',
      { run: 'RUN yarn build && find . -name x && test -s y', config: toBuild },
      'build',
    ],
    ['a folder below', { copied: '/app/build/assets' }, '"/app/dist"'],
    ['another folder to work in', { run: 'WORKDIR ui\nRUN npm run build', copied: '/app/ui/build' }, '"/app/ui/dist"'],
  ])('is found to be another than %s', async (_, frontend, written) => {
    expect(await findingOf(frontend)).toContain(written);
  });

  it.each<[string, Frontend]>([
    ['what Vite makes', { copied: '/app/dist/' }],
    ['what the configuration names', { config: toBuild, copied: '/app/build' }],
    ['a part of it', { copied: '/app/dist/assets' }],
    ['what holds it', { copied: '/app' }],
    ['what stands in the context', { config: toBuild, more: { 'web/dist/robots.txt': 'x\n' } }],
    ['what a command names', { config: toBuild, run: 'RUN npm run build && find build -name dist' }],
    ['what a command moves there', { config: toBuild, run: 'RUN npm run build && mv build dist' }],
    ['a folder elsewhere', { config: toBuild, copied: '/usr/share/dist' }],
    ['a pattern', { config: toBuild, copied: '/app/d*' }],
    ['an argument', { config: toBuild, run: 'ARG OUT=dist\nRUN npm run build', copied: '/app/$OUT' }],
    ['a stage with a command that may do anything', { config: toBuild, run: 'RUN npm run build && make' }],
    ['a script that does more', { script: 'tsc -b && vite build', config: toBuild }],
    ['a script that is none of Vite’s', { script: 'webpack', config: toBuild }],
    ['a stage that takes from another', { config: toBuild, run: 'COPY --from=deps /app/x x\nRUN npm run build' }],
    ['a heredoc', { config: toBuild, run: 'RUN <<X\nnpm run build\nX' }],
    ['a configuration with a folder that is computed', { config: 'export default { build: { outDir: folder } };\n' }],
    ['a configuration with two', { config: `${toBuild}// outDir: 'dist'\n` }],
    ['a configuration with a root', { config: `export default { root: 'ui', build: { outDir: 'build' } };\n` }],
    ['a configuration that is not copied', { config: toBuild, more: { 'web/.dockerignore': 'vite.config.ts\n' } }],
    ['two configurations', { config: toBuild, more: { 'web/vite.config.js': toBuild } }],
    ['a mode of its own', { script: 'vite build --mode staging', config: toBuild }],
    ['a package.json that is none', { config: toBuild, more: { 'web/package.json': '{' } }],
  ])('is not judged when it is %s', async (_, frontend) => {
    expect(await findingOf(frontend)).toBeUndefined();
  });

  it('is told once for all variants of one file', async () => {
    const images =
      'images: { web: { context: web, variants: { a: { args: { A: "1" } }, b: { args: { A: "2" } } } } }\n';
    await using repository = await TemporaryRepository.create({
      ...filesOf({ config: toBuild }),
      '.github/images.yml': images,
    });
    const { rows, log } = await runPlan(repository);
    expect(rows).toHaveLength(2);
    expect(log.split('is made by no step')).toHaveLength(2);
  });
});
