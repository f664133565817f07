import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { ColorScheme, Page } from '../browser/page.ts';

const require = createRequire(import.meta.url);
const library = require.resolve('@mermaid-js/tiny');

/**
 * Draws the page's Mermaid blocks, as GitHub does with the same library in frames of its own. Returns how many there
 * were; throws Mermaid's words when it cannot read one.
 */
export async function drawDiagrams(page: Page, scheme: ColorScheme): Promise<number> {
  const count = await page.evaluate<number>(`document.querySelectorAll('pre[lang="mermaid"]').length`);
  if (count === 0) return 0;
  await page.evaluate(`${await readFile(library, 'utf8')}; undefined`);
  await page.evaluate(`(async () => {
    mermaid.initialize({ startOnLoad: false, securityLevel: 'strict', theme: ${JSON.stringify(scheme === 'dark' ? 'dark' : 'default')} });
    for (const [index, block] of document.querySelectorAll('pre[lang="mermaid"]').entries()) {
      const { svg } = await mermaid.render('diagram-' + index, block.textContent);
      const drawn = document.createElement('div');
      drawn.innerHTML = svg;
      block.replaceWith(drawn);
    }
  })()`);
  return count;
}
