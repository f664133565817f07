import { closeSync, createReadStream, fstatSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { requestStream, type StreamAnswer } from '../../net/request.ts';
import { ConfigurationError } from '../../runner/errors.ts';
import type { Log } from '../../runner/log.ts';
import { createDigest, type DigestAlgorithm } from '../digest-plan.ts';
import { isSafeRedirect } from './safe-redirect.ts';

export interface DownloadOptions {
  readonly url: string;
  readonly digest: { readonly algorithm: DigestAlgorithm; readonly hex: string };
  /** Bytes that the file must have; undefined where nobody says. */
  readonly size: number | undefined;
  /** Bytes at which a download is given up. */
  readonly maxSize: number;
  /** Milliseconds for everything. */
  readonly deadline: number;
  readonly log: Log;
}

const MAX_REDIRECTS = 5;
/** How often a broken transfer is taken up where it ended. */
const MAX_RESUMES = 8;

/**
 * Downloads a file to `path`, which must not exist, and verifies its digest. A transfer that breaks is resumed where the
 * server allows it, and begun anew where it does not: also where the file is another one by now, of which servers that
 * send no validator give no sign but a wrong digest. On every error the caller removes the file.
 * Throws ConfigurationError for an answer that is no file or the wrong one, and RequestError when none came.
 */
export async function downloadFile(path: string, options: DownloadOptions): Promise<void> {
  const end = Date.now() + options.deadline;
  const descriptor = openSync(path, 'wx', 0o644);
  try {
    const { isInParts } = await transfer(descriptor, end, true, options);
    const why = await whyWrong(path, options);
    if (why === undefined) return;
    if (!isInParts) throw new ConfigurationError(why);
    options.log.info(`${why}; it came in parts, and is downloaded once more from its start`);
    ftruncateSync(descriptor, 0);
    await transfer(descriptor, end, false, options);
    const whyAgain = await whyWrong(path, options);
    if (whyAgain !== undefined) throw new ConfigurationError(whyAgain);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes what the address sends, with resumes, and says whether it came in more than one part. */
async function transfer(
  descriptor: number,
  end: number,
  mayResume: boolean,
  options: DownloadOptions,
): Promise<{ readonly isInParts: boolean }> {
  let validator: string | undefined;
  let isInParts = false;
  for (let attempt = 0; ; attempt += 1) {
    const offset = mayResume ? fstatSync(descriptor).size : 0;
    const answer = await ask(options, end, offset === 0 ? undefined : { offset, validator });
    const isResumed = offset > 0 && answer.status === 206 && startOf(answer) === offset;
    isInParts ||= isResumed;
    if (!isResumed) ftruncateSync(descriptor, 0);
    const { etag, 'last-modified': modified } = answer.headers as { readonly etag?: string; 'last-modified'?: string };
    validator = etag?.startsWith('"') === true ? etag : modified;
    const problem = await receive(answer, descriptor, isResumed ? offset : 0, options);
    if (problem === undefined) return { isInParts };
    if (attempt >= MAX_RESUMES || Date.now() >= end)
      throw new Error(`${shown(options.url)}: the download broke off ${attempt + 1} times`, { cause: problem });
    const at = fstatSync(descriptor).size;
    options.log.info(`${shown(options.url)}: broke off at byte ${at} (${problem.message}); taking it up again`);
  }
}

/** The final answer behind redirects; none may lead from https to http. */
async function ask(
  options: DownloadOptions,
  end: number,
  resume: { readonly offset: number; readonly validator: string | undefined } | undefined,
): Promise<StreamAnswer> {
  let url = new URL(options.url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const answer = await requestStream({
      url,
      deadline: Math.max(1, end - Date.now()),
      log: options.log,
      headers: {
        'accept-encoding': 'identity',
        ...(resume === undefined ? {} : { range: `bytes=${resume.offset}-` }),
        ...(resume?.validator === undefined ? {} : { 'if-range': resume.validator }),
      },
    });
    const { location } = answer.headers as { readonly location?: string };
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
    answer.stream.destroy();
    const next = new URL(location, url);
    if (!isSafeRedirect(url, next))
      throw new ConfigurationError(
        `${shown(options.url)} leads to ${next.protocol}//${next.host}, which is not safe to follow`,
      );
    url = next;
  }
  throw new ConfigurationError(`${shown(options.url)} leads on more than ${MAX_REDIRECTS} times`);
}

function refuseAnswer({ status, stream }: StreamAnswer, { url }: DownloadOptions): never {
  stream.destroy();
  const why =
    status === 401 || status === 403 ? 'the file is not public, or the address has expired' : 'there is no such file';
  throw new ConfigurationError(`${shown(url)} answered ${status}${status < 500 ? `: ${why}` : ''}`);
}

/** Writes an answer's bytes behind `offset`; returns what broke the transfer, if anything did. */
async function receive(
  answer: StreamAnswer,
  descriptor: number,
  offset: number,
  options: DownloadOptions,
): Promise<Error | undefined> {
  const { status, stream, headers } = answer;
  // The file ends before the part that is asked for: it is another one by now, or all of it had come.
  if (status === 416) return closeWith(stream, new Error('the server has nothing behind this byte'));
  if (status !== 200 && !(status === 206 && startOf(answer) === offset)) refuseAnswer(answer, options);
  const encoding = headers['content-encoding'] ?? 'identity';
  const limit = Math.min(options.size ?? options.maxSize, options.maxSize);
  let position = offset;
  try {
    if (encoding !== 'identity')
      throw new ConfigurationError(
        `${shown(options.url)} answered with the file as ${encoding}, which nobody asked for`,
      );
    for await (const chunk of stream) {
      const bytes: Buffer = chunk;
      if (position === 0) refusePage(bytes, headers['content-type'] ?? '', options);
      if (position + bytes.length > limit)
        throw new ConfigurationError(`${shown(options.url)} sends more than the ${limit} bytes that are expected`);
      writeSync(descriptor, bytes, 0, bytes.length, position);
      position += bytes.length;
    }
  } catch (error) {
    stream.destroy();
    if (error instanceof ConfigurationError) throw error;
    return error instanceof Error ? error : new Error(String(error));
  }
  const length = headers['content-length'];
  const isShort = length !== undefined && position - offset < Number(length);
  return isShort ? new Error(`${position - offset} of ${length} bytes came`) : undefined;
}

function closeWith(stream: StreamAnswer['stream'], problem: Error): Error {
  stream.destroy();
  return problem;
}

/** A log-in or an error page in place of the weights, which servers send with status 200. */
function refusePage(head: Buffer, type: string, { url }: DownloadOptions): void {
  const text = head.toString('latin1', 0, 200);
  if (/^[\s\xef\xbb\xbf]*(?:<!doctype html|<html)/i.test(text) || type.startsWith('text/html'))
    throw new ConfigurationError(
      `${shown(url)} answered with an HTML page, not with the file: is it public, and is this its download address?`,
    );
  if (text.startsWith('version https://git-lfs.github.com/spec/'))
    throw new ConfigurationError(
      `${shown(url)} answered with a git-lfs pointer, not with the file: use the address of the file itself`,
    );
}

function startOf({ headers }: StreamAnswer): number | undefined {
  const [, start] = /^bytes (\d+)-/.exec(headers['content-range'] ?? '') ?? [];
  return start === undefined ? undefined : Number(start);
}

/** Why the file is not the one that is expected; undefined when it is. */
async function whyWrong(path: string, { url, size, digest }: DownloadOptions): Promise<string | undefined> {
  const sent = statSync(path).size;
  if (size !== undefined && sent !== size) return `${shown(url)} sent ${sent} bytes, but ${size} are expected`;
  const actual = await digestOfFile(path, digest.algorithm);
  if (actual === digest.hex) return undefined;
  return `what ${shown(url)} sent has the ${digest.algorithm} ${actual}, but ${digest.hex} is expected`;
}

/** The digest of a file, in hex. */
export async function digestOfFile(path: string, algorithm: DigestAlgorithm): Promise<string> {
  const hash = createDigest(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest('hex');
}

/** The address for the log: without the query, which can hold a signature, and without a password. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
