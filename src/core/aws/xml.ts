/** An element of an XML answer. Attributes are dropped: AWS uses them for name spaces only. */
export interface XmlElement {
  readonly name: string;
  /** The text directly inside the element, entities decoded. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** An answer that is no XML, or more of it than an answer of AWS can hold. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
}

const MAX_DEPTH = 16;
/** A full page of a listing has 1,000 entries of some eight elements each. */
const MAX_ELEMENTS = 100_000;

const TOKEN =
  /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([A-Za-z_][\w.:-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;
const ENTITIES = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

/**
 * Reads the answer of an AWS service: elements and text, without document types, CDATA or entities of its own.
 *
 * Small on purpose: answers have a handful of known fields, and what a server may send here is bounded and cannot
 * expand. Throws XmlError for anything else, and for nesting deeper than 16 or more than 100,000 elements.
 */
export function parseXml(source: string): XmlElement {
  const root: OpenElement = { name: '', text: '', children: [] };
  const open = [root];
  let count = 0;
  for (const token of tokensOf(source)) {
    const parent = open.at(-1) ?? root;
    if (token.kind === 'text') {
      parent.text += token.text;
    } else if (token.kind === 'end') {
      if (open.length === 1 || parent.name !== token.name) throw new XmlError(`</${token.name}> closes nothing`);
      open.pop();
    } else {
      count += 1;
      const element: OpenElement = { name: token.name, text: '', children: [] };
      parent.children.push(element);
      if (!token.isEmpty) open.push(element);
      checkBounds(count, open.length);
    }
  }
  if (open.length !== 1) throw new XmlError('the document ends too early');
  return onlyElementOf(root);
}

function checkBounds(count: number, depth: number): void {
  if (count > MAX_ELEMENTS) throw new XmlError(`more than ${MAX_ELEMENTS} elements`);
  if (depth > MAX_DEPTH) throw new XmlError(`elements nested deeper than ${MAX_DEPTH}`);
}

function onlyElementOf(root: XmlElement): XmlElement {
  const [document, ...others] = root.children;
  if (document !== undefined && others.length === 0 && root.text.trim() === '') return document;
  throw new XmlError('the document is not one element');
}

interface OpenElement {
  readonly name: string;
  text: string;
  readonly children: OpenElement[];
}

type Token =
  | { readonly kind: 'start'; readonly name: string; readonly isEmpty: boolean }
  | { readonly kind: 'end'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string };

function* tokensOf(source: string): Generator<Token> {
  const token = new RegExp(TOKEN);
  token.lastIndex = source.startsWith('\uFEFF') ? 1 : 0;
  while (token.lastIndex < source.length) {
    const at = token.lastIndex;
    const match = token.exec(source);
    if (match === null) throw new XmlError(`no XML that AWS sends at character ${at}`);
    const [, closing, name, , empty, text] = match;
    if (text !== undefined) yield { kind: 'text', text: decodeEntities(text) };
    else if (name !== undefined) {
      yield closing === '/' ? { kind: 'end', name } : { kind: 'start', name, isEmpty: empty === '/' };
    }
  }
}

/** The text of the first element at a path of names below `element`; undefined when there is none. */
export function textAt(element: XmlElement, ...path: readonly string[]): string | undefined {
  let current: XmlElement | undefined = element;
  for (const name of path) current = current?.children.find((child) => child.name === name);
  return current?.text;
}

/** All children of a name. */
export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** Text as XML holds it. Characters that XML 1.0 cannot hold are the caller's to keep out. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"'\r\n\t]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|\w{1,8})?;?/g, (whole, body: string | undefined) => {
    const named = body === undefined ? undefined : ENTITIES.get(body);
    if (named !== undefined && whole.endsWith(';')) return named;
    const code = body?.startsWith('#x') ? Number.parseInt(body.slice(2), 16) : Number(body?.slice(1));
    if (!body?.startsWith('#') || !whole.endsWith(';') || code > 0x10ffff)
      throw new XmlError(`no entity of XML: ${whole}`);
    return String.fromCodePoint(code);
  });
}
