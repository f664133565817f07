import { ConfigurationError } from '../runner/errors.ts';
import { nearest } from '../runner/input-grammar.ts';
import { formatDate } from './dates.ts';

/** What a template can name. */
export interface TemplateView {
  readonly values: ReadonlyMap<string, string | number>;
  readonly now: Date;
  readonly commitDate: Date;
}

/** Renders one template. Throws ConfigurationError that says what is wrong with it. */
export type RenderTemplate = (template: string, view: TemplateView) => string;

/** `{{name}}` or `{{date 'format' tz='zone'}}`: all that most templates hold. */
const EXPRESSION =
  /(?<!\{)\{\{[ \t]*(?:(?<helper>date|commit_date)[ \t]+(?<format>'[^']*'|"[^"]*")(?:[ \t]+tz=(?<tz>'[^']*'|"[^"]*"))?|(?<name>[A-Za-z_]\w*))[ \t]*\}\}(?!\})/g;
const HELPERS = ['date', 'commit_date'];

/** Told of each name that a template asks for and nobody knows, and of the known one that is nearest to it. */
export type TellUnknown = (name: string, near: string | undefined) => void;

/**
 * Makes the renderer for these templates.
 *
 * The language is Handlebars, as in docker/metadata-action, but nothing is escaped for HTML: `a&b` stays `a&b`.
 * Most templates name values and dates alone; they are filled in here, and Handlebars (66 kB, 20 ms to load) is imported
 * when one asks for more: a block, a comment, a helper within a helper. A name that is not known renders as nothing.
 */
export async function createRenderer(templates: Iterable<string>, tellUnknown: TellUnknown): Promise<RenderTemplate> {
  const language = [...templates].every(isSimple) ? undefined : await createLanguage(tellUnknown);
  return (template, view) => {
    if (!template.includes('{{')) return template;
    if (isSimple(template)) return fillIn(template, view, tellUnknown);
    if (language === undefined) throw new Error(`the template "${template}" was not named before it was rendered`);
    return language(template, view);
  };
}

/** Words that mean something to Handlebars itself, or helpers that need arguments. */
const RESERVED = new Set([
  ...HELPERS,
  'this',
  'else',
  'if',
  'unless',
  'each',
  'with',
  'log',
  'lookup',
  'true',
  'false',
  'null',
  'undefined',
]);

function isSimple(template: string): boolean {
  if (!template.includes('{{')) return true;
  if (template.replace(EXPRESSION, '').includes('{{') || template.includes('\\{{')) return false;
  return [...template.matchAll(EXPRESSION)].every(({ groups }) => !RESERVED.has(groups?.['name'] ?? ''));
}

function fillIn(template: string, view: TemplateView, tellUnknown: TellUnknown): string {
  return template.replace(EXPRESSION, (...found) => {
    const { helper, format, tz, name }: Readonly<Record<string, string | undefined>> = found.at(-1);
    if (helper !== undefined && format !== undefined)
      return formatDate(dateFor(helper, view), format.slice(1, -1), tz?.slice(1, -1) ?? 'UTC');
    const value = view.values.get(name ?? '');
    if (value === undefined) tellOf(name ?? '', view, tellUnknown);
    return String(value ?? '');
  });
}

function dateFor(helper: string, { now, commitDate }: TemplateView): Date {
  return helper === 'date' ? now : commitDate;
}

function tellOf(name: string, { values }: TemplateView, tellUnknown: TellUnknown): void {
  tellUnknown(name, nearest(name, [...values.keys(), ...HELPERS]));
}

/** True when one of the templates asks for the helper or value `name`. */
export function mentions(templates: Iterable<string>, name: string): boolean {
  const pattern = new RegExp(`\\{\\{[^}]*\\b${name}\\b`);
  return [...templates].some((template) => pattern.test(template));
}

async function createLanguage(tellUnknown: TellUnknown): Promise<RenderTemplate> {
  const { default: handlebars } = await import('handlebars');
  const engine = handlebars.create();
  const compiled = new Map<string, ReturnType<typeof engine.compile>>();
  const compile = (template: string): ReturnType<typeof engine.compile> => {
    const known = compiled.get(template) ?? engine.compile(template, { noEscape: true });
    compiled.set(template, known);
    return known;
  };
  return (template, view) => {
    const helpers = Object.fromEntries(
      HELPERS.map((name) => [name, (...given: readonly unknown[]) => formatWith(dateFor(name, view), name, given)]),
    );
    const helperMissing = (...given: readonly unknown[]): string => {
      const name = nameOf(given.at(-1));
      if (given.length > 1)
        throw new ConfigurationError(`{{${name} …}} is no helper; there are ${HELPERS.join(' and ')}`);
      tellOf(name, view, tellUnknown);
      return '';
    };
    try {
      return compile(template)(Object.fromEntries(view.values), { helpers: { ...helpers, helperMissing } });
    } catch (cause) {
      if (cause instanceof ConfigurationError) throw cause;
      const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ');
      throw new ConfigurationError(`"${template}" is no template: ${reason}`, { cause });
    }
  };
}

/** Reads a helper's arguments: a format and, at most, `tz='…'`. Handlebars' own options come last. */
function formatWith(date: Date, helper: string, given: readonly unknown[]): string {
  const [format, ...more] = given.slice(0, -1);
  const hash = hashOf(given.at(-1));
  const unknown = Object.keys(hash).filter((name) => name !== 'tz');
  if (typeof format !== 'string' || more.length > 0 || unknown.length > 0) {
    throw new ConfigurationError(
      `{{${helper}}} takes one format and tz, as in {{${helper} 'YYYYMMDD' tz='Europe/Paris'}}`,
    );
  }
  return formatDate(date, format, hash['tz'] === undefined ? 'UTC' : String(hash['tz']));
}

function hashOf(options: unknown): Readonly<Record<string, unknown>> {
  if (typeof options !== 'object' || options === null || !('hash' in options)) return {};
  const { hash } = options;
  return typeof hash === 'object' && hash !== null ? { ...hash } : {};
}

function nameOf(options: unknown): string {
  return typeof options === 'object' && options !== null && 'name' in options ? String(options.name) : '';
}
