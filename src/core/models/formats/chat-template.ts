import { isRecord } from '../../runner/event.ts';
import type { ByteSource } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import { isOneValue, readMembers } from './json-members.ts';

const MAX_JSON = 64 * 1024 * 1024;
const BRINGS_PYTHON: ReadonlySet<string> = new Set(['auto_map', 'custom_pipelines']);

/** Ways of a Jinja template to Python's objects (CVE-2024-34359): what no chat template needs. */
const ESCAPES: readonly RegExp[] = [
  /__\w+__/,
  /\\x5f|\\u005f|\\137/i,
  /\|\s*(?:attr\b|map\s*\(\s*['"]attr)/,
  // `map(attribute='role')` is usual; a name that is computed is not.
  /\|\s*map\s*\(\s*attribute\s*=(?!\s*['"][A-Za-z][\w.]*['"]\s*[),])/,
  /\b(?:cycler|joiner|lipsum|get_flashed_messages|url_for|_self)\b/,
  /\bself\b\s*(?:\.|\[)/,
  /\b(?:globals|builtins|subclasses|import_module|popen|os\.|subprocess|mro\b|func_globals|gi_frame|gi_code|cr_frame|f_globals)/,
  /\[\s*['"]_/,
  /['"]_{1,2}['"]\s*[~+*]/,
  /\{%-?\s*(?:include|import|from|extends)\b/,
];

/** What a chat template does beyond putting messages together: Jinja runs it where the model is loaded. */
export function checkTemplate(template: string, offset: number): readonly ModelFinding[] {
  if (!ESCAPES.some((pattern) => pattern.test(template))) return [];
  const message = 'the chat template reaches for attributes of Python objects';
  return [{ severity: 'dangerous', rule: 'chat-template', message, offset }];
}

/**
 * Reads a JSON file that stands beside weights (`tokenizer_config.json`, `chat_template.json`, `config.json`): its chat
 * templates, and `auto_map`, by which transformers loads Python files of the model's repository.
 */
export function readModelJson(source: ByteSource): FormatReport {
  if (source.size > MAX_JSON) {
    const message = `it is larger than the ${MAX_JSON} bytes that are read`;
    return { format: 'json', findings: [{ severity: 'suspicious', rule: 'json', message }] };
  }
  const text = source.read(0, source.size);
  const findings: ModelFinding[] = [];
  const problem = isOneValue(text) ? readOwnMembers(text, findings) : { message: 'it is no JSON', offset: 0 };
  if (problem !== undefined)
    findings.push({ severity: 'mismatch', rule: 'json', message: problem.message, offset: problem.offset });
  return { format: 'json', findings };
}

/** A vocabulary of 30 MB stands beside the few members that matter: it is passed over. */
function readOwnMembers(text: Buffer, findings: ModelFinding[]): ReturnType<typeof readMembers> {
  // A list holds nothing that a loader runs.
  if (/^\s*\[/.test(text.toString('latin1', 0, 64))) return undefined;
  return readMembers(
    text,
    (name, value) => {
      if (name === 'chat_template')
        for (const template of templatesOf(value)) findings.push(...checkTemplate(template, 0));
      if (!BRINGS_PYTHON.has(name)) return;
      const message =
        'it names Python files of its repository, which run when the model is loaded with "trust_remote_code"';
      findings.push({ severity: 'suspicious', rule: 'remote-code', message });
    },
    (name) => name === 'chat_template',
  );
}

/** One template, or a list of named ones. */
function templatesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return [];
  return value.slice(0, 100).flatMap((each: unknown) => {
    const template = isRecord(each) ? each['template'] : undefined;
    return typeof template === 'string' ? [template] : [];
  });
}
