import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { runCommand } from '../../../src/core/runner/command.ts';
import type { Chromium } from '../services/chromium.ts';
import { rootEnvironment } from '../services/package-root.ts';

const require = createRequire(import.meta.url);

/** HTML of GitHub-flavoured Markdown, by GitHub's own program, before GitHub's sanitiser and its own additions. */
export async function renderMarkdown({ program }: Pick<Chromium, 'program'>, markdown: string): Promise<string> {
  const extensions = ['table', 'strikethrough', 'autolink', 'tagfilter', 'tasklist'].flatMap((name) => ['-e', name]);
  const { file, args } = program('cmark-gfm', ['--unsafe', '--github-pre-lang', ...extensions]);
  const { stdout } = await runCommand(file, args, { env: rootEnvironment, input: markdown, deadline: 30_000 });
  return stdout;
}

/** The summaries of a job, as HTML, under its name. */
export interface Card {
  readonly title: string;
  readonly html: string;
}

/** GitHub cuts the names of jobs. */
const MAX_TITLE = 100;

const styles = readFileSync(require.resolve('github-markdown-css/github-markdown.css'), 'utf8');

/**
 * A page that shows job summaries as a run's page on GitHub does, in light or dark as the reader prefers. `opened` are
 * the folded sections that the reader has opened, by how their titles begin.
 */
export function githubPage(cards: readonly Card[], opened: readonly string[]): string {
  const sections = cards.map(({ title, html }) => {
    const body = showAlerts(openDetails(html, opened));
    return `<section><header>${title.slice(0, MAX_TITLE)} summary</header><article class="markdown-body">${body}</article></section>`;
  });
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Job summaries</title><style>${styles}${CARDS}</style></head>
<body>${sections.join('')}</body>
</html>`;
}

function openDetails(html: string, titles: readonly string[]): string {
  return titles.reduce(
    (text, title) => text.replaceAll(`<details><summary>${title}`, `<details open><summary>${title}`),
    html,
  );
}

/** `> [!NOTE]` becomes a coloured box, as GitHub does after its sanitiser. */
function showAlerts(html: string): string {
  return html.replace(
    /<blockquote>\s*<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*([\s\S]*?)<\/blockquote>/g,
    (_, kind: string, rest: string) => {
      const name = kind.toLowerCase();
      const title = kind.charAt(0) + name.slice(1);
      return `<div class="markdown-alert markdown-alert-${name}"><p class="markdown-alert-title">${title}</p><p>${rest}</div>`;
    },
  );
}

/** The boxes around summaries on the page of a run. */
const CARDS = `
body { margin: 0; padding: 6px 0; background: #fff; color: #1f2328; }
section { margin: 6px 12px 12px; border: 1px solid #d1d9e0; border-radius: 6px; }
header { padding: 12px 16px; border-bottom: 1px solid #d1d9e0; border-radius: 6px 6px 0 0; background: #f6f8fa; font: 600 14px/1.5 "Noto Sans", sans-serif; overflow-wrap: anywhere; }
article.markdown-body { padding: 16px 24px 8px; background: none; }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #f0f6fc; }
  section, header { border-color: #3d444d; }
  header { background: #151b23; }
}
`;
