import { DANGEROUS_ATTRIBUTES, DANGEROUS_MODULES, DANGEROUS_NAMES } from './dangerous-imports.ts';
import { isFrameworkClass } from './framework-imports.ts';
import { HARMLESS } from './harmless-imports.ts';

/** What an import of a pickle means for who loads it. */
export type ImportVerdict = 'harmless' | 'suspicious' | 'dangerous';

/**
 * Judges the import of `module.name` by a pickle.
 *
 * Known harmless are the names that frameworks need to rebuild arrays and containers, one by one, and the classes of
 * estimators and layers. Known dangerous are modules that run code, reach files or the network, or walk to those that
 * do, with all their submodules. Everything else is suspicious: a list of what is bad is never whole. `allowed` holds
 * `module.name` or `module.*` of the user's; it can make a suspicious name harmless, never a dangerous one.
 */
export function judgeImport(module: string, name: string, allowed: ReadonlySet<string>): ImportVerdict {
  if (isDangerous(module, name)) return 'dangerous';
  if (HARMLESS.get(module)?.has(name) === true || isFrameworkClass(module, name)) return 'harmless';
  if (allowed.has(`${module}.${name}`)) return 'harmless';
  // A dotted name walks attributes: only its own entry allows it.
  return !name.includes('.') && allowed.has(`${module}.*`) ? 'harmless' : 'suspicious';
}

function isDangerous(module: string, name: string): boolean {
  const parts = module.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    if (DANGEROUS_MODULES.has(parts.slice(0, length).join('.'))) return true;
  }
  const names = name.split('.');
  if (DANGEROUS_NAMES.get(module)?.has(names[0] ?? '') === true) return true;
  // `eval.__call__`, `OrderedDict.__init__.__globals__`: attributes of attributes reach everything.
  return names.length > 1 && names.some((part) => part.startsWith('__') || DANGEROUS_ATTRIBUTES.has(part));
}
