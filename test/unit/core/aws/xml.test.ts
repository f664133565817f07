import { describe, expect, it } from 'vitest';
import { escapeXml, parseXml, textAt, XmlError } from '../../../../src/core/aws/xml.ts';

describe('parseXml', () => {
  it('reads elements, text, entities and comments', () => {
    const document = parseXml(
      '<?xml version="1.0"?>\n<Error xmlns="http://x"><!-- y --><Code>A&amp;&#66;&#x43;</Code>\n<Empty/></Error>\n',
    );
    expect(textAt(document, 'Code')).toBe('A&BC');
    expect(textAt(document, 'Empty')).toBe('');
    expect(textAt(document, 'Code', 'Deeper')).toBeUndefined();
  });

  it.each([
    ['an entity of its own', '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'],
    ['an unknown entity', '<x>&nbsp;</x>'],
    ['a bare ampersand', '<x>a & b</x>'],
    ['an element that stays open', '<a><b></a>'],
    ['text beside the document', '<a></a>rest'],
    ['two documents', '<a/><b/>'],
    ['HTML', '<!doctype html><p>sorry'],
    ['nothing', ''],
    ['a code point that is none', '<x>&#x110000;</x>'],
    ['elements nested too deeply', `${'<a>'.repeat(17)}${'</a>'.repeat(17)}`],
    ['too many elements', `<a>${'<b/>'.repeat(100_001)}</a>`],
  ])('refuses %s', (_, source) => {
    expect(() => parseXml(source)).toThrow(XmlError);
  });

  it('reads back what escapeXml wrote', () => {
    const text = `<a href="x">&'\r\n\t`;
    expect(parseXml(`<x>${escapeXml(text)}</x>`).text).toBe(text);
  });
});
