import type { Answer } from './listening-server.ts';

/** A name, and what is in it: text, other elements, or nothing (`false` leaves the element out). */
export type XmlNode = readonly [name: string, content: string | number | boolean | readonly (XmlNode | false)[]];

export function writeXml([name, content]: XmlNode, namespace?: string): string {
  const inner =
    typeof content === 'object'
      ? content.map((child) => (child === false ? '' : writeXml(child))).join('')
      : escapeXml(String(content));
  return `<${name}${namespace === undefined ? '' : ` xmlns="${namespace}"`}>${inner}</${name}>`;
}

/** An answer of an AWS service with an XML protocol. */
export function xmlAnswer(
  status: number,
  root: XmlNode,
  namespace: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { 'content-type': 'text/xml', ...headers },
    body: `<?xml version="1.0"?>\n${writeXml(root, namespace)}`,
  };
}

/** A refusal of an AWS service; what went wrong in its own words, so that clients can tell one from another. */
export class AwsError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function awsErrorAnswer({ status, code, message }: AwsError, namespace: string, requestId: string): Answer {
  const error: XmlNode = [
    'Error',
    [
      ['Type', status >= 500 ? 'Receiver' : 'Sender'],
      ['Code', code],
      ['Message', message],
    ],
  ];
  return xmlAnswer(status, ['ErrorResponse', [error, ['RequestId', requestId]]], namespace, {
    'x-amzn-requestid': requestId,
  });
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
