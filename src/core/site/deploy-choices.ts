/**
 * What becomes of `app.js.br` and `app.js.gz` beside `app.js`. S3 does not choose by Accept-Encoding, so that either the
 * edge does (`beside`: all are sent, each with its type and encoding), or one is sent under the plain name (`br`, `gz`).
 */
export const PRECOMPRESSED = ['beside', 'br', 'gz', 'off'] as const;
export type Precompressed = (typeof PRECOMPRESSED)[number];

/** How files are compressed as they are sent. */
export const COMPRESSIONS = ['off', 'br', 'gzip'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** What to do while another deploy holds the site. */
export const IF_BUSY = ['wait', 'fail', 'supersede-older'] as const;
export type IfBusy = (typeof IF_BUSY)[number];
