import { ConfigurationError } from '../runner/errors.ts';
import { formatDate } from './dates.ts';

/** What a template can name. */
export interface TemplateView {
  readonly values: ReadonlyMap<string, string | number>;
  readonly now: Date;
  readonly commitDate: Date;
}

/** Renders one template. Throws ConfigurationError that says what is wrong with it. */
export type RenderTemplate = (template: string, view: TemplateView) => string;

/** A template of nothing but names, such as `v{{version}}`. */
const NAME = /(?<!\{)\{\{[ \t]*([A-Za-z_]\w*)[ \t]*\}\}(?!\})/g;
const HELPERS = ['date', 'commit_date'];

/**
 * Makes the renderer for these templates.
 *
 * The language is Handlebars, as in docker/metadata-action, but nothing is escaped for HTML: `a&b` stays `a&b`.
 * Most templates only name values; they are filled in here, and Handlebars (110 kB, 20 ms to load) is imported when
 * one asks for more: a helper with arguments, a block, a comment. A name that is not known renders as nothing and is
 * told to `onUnknown`.
 */
export async function createRenderer(
  templates: Iterable<string>,
  onUnknown: (name: string) => void,
): Promise<RenderTemplate> {
  const isSimple = (template: string): boolean =>
    !template.replace(NAME, '').includes('{{') && !/\\\{\{/.test(template);
  const needsLanguage = [...templates].some(
    (template) => !isSimple(template) || namesOf(template).some((name) => RESERVED.has(name)),
  );
  const language = needsLanguage ? await createLanguage(onUnknown) : undefined;
  return (template, view) => {
    if (!template.includes('{{')) return template;
    if (isSimple(template) && namesOf(template).every((name) => view.values.has(name))) {
      return template.replace(NAME, (_, name: string) => String(view.values.get(name) ?? ''));
    }
    if (language !== undefined) return language(template, view);
    if (!isSimple(template)) throw new Error(`the template "${template}" was not named before it was rendered`);
    return template.replace(NAME, (_, name: string) => {
      if (!view.values.has(name)) onUnknown(name);
      return String(view.values.get(name) ?? '');
    });
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

function namesOf(template: string): readonly string[] {
  return [...template.matchAll(NAME)].map(([, name]) => name ?? '');
}

/** True when one of the templates asks for the helper or value `name`. */
export function mentions(templates: Iterable<string>, name: string): boolean {
  const pattern = new RegExp(`\\{\\{[^}]*\\b${name}\\b`);
  return [...templates].some((template) => pattern.test(template));
}

async function createLanguage(onUnknown: (name: string) => void): Promise<RenderTemplate> {
  const { default: handlebars } = await import('handlebars');
  const engine = handlebars.create();
  engine.registerHelper('helperMissing', (...given: readonly unknown[]) => {
    const name = nameOf(given.at(-1));
    if (given.length > 1)
      throw new ConfigurationError(`{{${name} …}} is no helper; there are ${HELPERS.join(' and ')}`);
    onUnknown(name);
    return '';
  });
  return (template, view) => {
    try {
      const render = engine.compile(template, { noEscape: true });
      return render(Object.fromEntries(view.values), {
        helpers: {
          date: (...given: readonly unknown[]) => formatWith(view.now, 'date', given),
          commit_date: (...given: readonly unknown[]) => formatWith(view.commitDate, 'commit_date', given),
        },
      });
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
