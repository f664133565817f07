/** Which computed styles a snapshot holds, in this order. */
export const SNAPSHOT_STYLES = ['color', 'background-color'] as const;

type Rectangle = readonly [x: number, y: number, width: number, height: number];

/** The answer of `DOMSnapshot.captureSnapshot`: columns, whose texts are indices into one list; -1 is none. */
export interface CapturedSnapshot {
  readonly strings: readonly string[];
  readonly documents: readonly {
    readonly contentWidth?: number;
    readonly nodes: {
      readonly parentIndex: readonly number[];
      readonly nodeType: readonly number[];
      readonly nodeName: readonly number[];
      readonly nodeValue: readonly number[];
      readonly attributes: readonly (readonly number[])[];
    };
    readonly layout: {
      readonly nodeIndex: readonly number[];
      readonly styles: readonly (readonly number[])[];
      readonly scrollRects: readonly (Rectangle | readonly [])[];
      readonly clientRects: readonly (Rectangle | readonly [])[];
    };
  }[];
}

/** An element that is laid out or not, in the document's order. */
export interface PageElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Names of what it is in, the nearest first. */
  readonly ancestors: readonly string[];
  /** Width of its content, and of the place it has for it; undefined where nothing scrolls. */
  readonly scrollWidth: number | undefined;
  readonly clientWidth: number | undefined;
}

/** A run of text that is shown. */
export interface PageText {
  readonly text: string;
  readonly ancestors: readonly string[];
  readonly color: string;
  /** The background colours of what it is in, the nearest first. */
  readonly backgrounds: readonly string[];
}

export interface PageSnapshot {
  /** Pixels of CSS that the page needs without scrolling sideways. */
  readonly contentWidth: number;
  readonly elements: readonly PageElement[];
  readonly texts: readonly PageText[];
}

const ELEMENT = 1;
const TEXT = 3;

/** Puts the columns of a captured document together. Throws when the browser captured none. */
export function readSnapshot({ strings, documents }: CapturedSnapshot): PageSnapshot {
  const [captured] = documents;
  if (captured === undefined) throw new Error('the browser captured no document');
  const { nodes, layout } = captured;
  const string = (index: number | undefined): string => strings[index ?? -1] ?? '';
  const nameOf = (node: number): string => string(nodes.nodeName[node]).toLowerCase();
  const ancestorsOf = (node: number): number[] => {
    const found: number[] = [];
    for (let at = nodes.parentIndex[node] ?? -1; at >= 0; at = nodes.parentIndex[at] ?? -1) found.push(at);
    return found;
  };
  const layoutOf = new Map(layout.nodeIndex.map((node, index) => [node, index]));
  const styleOf = (node: number, name: (typeof SNAPSHOT_STYLES)[number]): string =>
    string(layout.styles[layoutOf.get(node) ?? -1]?.[SNAPSHOT_STYLES.indexOf(name)]);
  const ofType = (type: number): number[] => nodes.nodeType.flatMap((each, node) => (each === type ? [node] : []));
  return {
    contentWidth: captured.contentWidth ?? 0,
    elements: ofType(ELEMENT)
      .filter((node) => !nameOf(node).startsWith('::'))
      .map((node) => {
        const at = layoutOf.get(node) ?? -1;
        const pairs = (nodes.attributes[node] ?? []).map(string);
        return {
          name: nameOf(node),
          attributes: new Map(
            pairs.flatMap((name, index) => (index % 2 === 0 ? [[name, pairs[index + 1] ?? ''] as const] : [])),
          ),
          ancestors: ancestorsOf(node).map(nameOf),
          scrollWidth: layout.scrollRects[at]?.[2],
          clientWidth: layout.clientRects[at]?.[2],
        };
      }),
    texts: ofType(TEXT)
      .filter((node) => layoutOf.has(node))
      .map((node) => {
        const ancestors = ancestorsOf(node);
        return {
          text: string(nodes.nodeValue[node]),
          ancestors: ancestors.map(nameOf),
          color: styleOf(node, 'color'),
          backgrounds: ancestors.map((at) => styleOf(at, 'background-color')).filter((color) => color !== ''),
        };
      }),
  };
}
