import { marked } from 'marked';
import { formatDuration } from '../../src/core/report/markdown.ts';
import type { JobResult, WorkflowResult } from '../../test/harness/workflow/workflow-result.ts';

/** One run of the workflow under the title it is shown by. */
export interface ReportedRun {
  readonly title: string;
  readonly result: WorkflowResult;
}

/** The job summaries of some runs as one page, as GitHub shows them, with each job's log folded below. */
export function renderReport(runs: readonly ReportedRun[]): string {
  const body = runs
    .map(({ title, result }) => `<h1>${escapeHtml(title)}</h1>${result.jobs.map(renderJob).join('')}`)
    .join('');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Slipway: job summaries</title><style>${STYLE}</style></head>
<body><main>${body}</main></body>
</html>
`;
}

function renderJob(job: JobResult): string {
  const mark = job.result === 'success' ? '✅' : job.result === 'skipped' ? '⏭️' : '❌';
  const why = job.reason === undefined ? '' : `<p class="reason">${escapeHtml(job.reason)}</p>`;
  // The summaries are made by the actions, which escape what comes from outside; GitHub sanitises them once more.
  const summary = marked.parse(job.summary, { async: false, gfm: true });
  const log = job.log === '' ? '' : `<details><summary>log</summary><pre>${escapeHtml(job.log)}</pre></details>`;
  return `<section><h2>${mark} ${escapeHtml(job.name)} <small>${formatDuration(job.durationMs)}</small></h2>${why}<article>${summary}</article>${log}</section>`;
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
section { border: 1px solid #8884; border-radius: 8px; padding: 0 1rem 1rem; margin: 1rem 0; }
h2 small { font-weight: normal; opacity: .6; }
.reason { opacity: .7; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border: 1px solid #8884; padding: .25rem .6rem; text-align: left; }
code, pre { font: 13px ui-monospace, monospace; background: #8881; border-radius: 4px; }
code { padding: .1em .3em; }
pre { padding: .8rem; overflow-x: auto; }
`;
