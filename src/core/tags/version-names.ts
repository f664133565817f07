import type { RenderTemplate, TemplateView } from './expressions.ts';
import type { Rule } from './rules.ts';
import { withVersion } from './template-view.ts';
import { parseVersion, type Version } from './versions.ts';

export type VersionRule = Extract<Rule, { readonly type: 'semver' | 'pep440' }>;

/** The version that a rule of type semver or pep440 sees in a text, after its `match`; else the reason why it sees none. */
export function versionIn(rule: VersionRule, source: string): Version | string {
  const match = rule.match === undefined ? undefined : rule.match.exec(source);
  if (match === null) return `"${source}" does not match ${String(rule.match)}`;
  // Without a capture group the whole match is meant; metadata-action v6.2 fails there.
  const text = match === undefined ? source : (match[1] ?? match[0]);
  return (
    parseVersion(text, rule.type) ?? `"${text}" is no version by ${rule.type === 'semver' ? 'semver 2.0' : 'PEP 440'}`
  );
}

/** A version rule's name for one of its versions, without prefix and suffix. */
export function renderVersion(
  rule: VersionRule,
  version: Version,
  { render, view }: { readonly render: RenderTemplate; readonly view: TemplateView },
): string {
  const isShortened = !version.isFinal && !namesWholeVersion(rule.pattern);
  return render(isShortened ? wholeVersionPattern(rule.pattern) : rule.pattern, withVersion(view, version));
}

/** True when no other version of the scheme gets this name from the rule. */
export function namesOneVersion(rule: VersionRule, version: Version): boolean {
  if (!version.isFinal || namesWholeVersion(rule.pattern)) return true;
  // A PEP 440 release may have more than three parts.
  return rule.type === 'semver' && ['major', 'minor', 'patch'].every((part) => names(rule.pattern, part));
}

/**
 * The pattern for a pre-release, which is never shortened and never takes a fixed name: `v{{major}}.{{minor}}` gives
 * `v1.2.3-rc.1`. What surrounds the expressions stays (nuts-node #1970).
 */
function wholeVersionPattern(pattern: string): string {
  return pattern.includes('{{') ? pattern.replace(/\{\{[\s\S]*\}\}/, '{{version}}') : '{{version}}';
}

function namesWholeVersion(pattern: string): boolean {
  return names(pattern, 'version') || names(pattern, 'raw');
}

function names(pattern: string, value: string): boolean {
  return new RegExp(`\\{\\{[^}]*\\b${value}\\b`).test(pattern);
}
