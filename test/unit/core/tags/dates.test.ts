import moment from 'moment-timezone';
import { expect, test } from 'vitest';
import { formatDate } from '../../../../src/core/tags/dates.ts';

const TOKENS =
  'M Mo MM MMM MMMM Q Qo D Do DD DDD DDDo DDDD d do dd ddd dddd e E w wo ww W Wo WW gg gggg GG GGGG YY YYYY YYYYYY Y y N a A H HH h hh k kk hmm hmmss Hmm Hmmss m mm s ss S SS SSS SSSS x X Z ZZ LT LTS L LL LLL LLLL l ll lll llll'.split(
    ' ',
  );
const ZONES = [
  'UTC',
  'Europe/Paris',
  'America/New_York',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Pacific/Auckland',
  'America/St_Johns',
];
const INSTANTS = [
  '2026-11-20T12:34:56.789Z',
  '2024-02-29T23:59:59.999Z',
  '2020-12-31T23:30:00.000Z',
  '2021-01-01T00:00:00.000Z',
  '2021-01-03T12:00:00.000Z',
  '2022-01-02T11:00:00.001Z',
  '2026-03-29T00:59:59.000Z',
  '2026-03-29T01:00:00.000Z',
  '2026-10-25T01:00:00.000Z',
  '2016-12-30T05:06:07.000Z',
];

test.each(ZONES)('every token of moment.js gives what moment.js gives in %s', (zone) => {
  for (const instant of INSTANTS) {
    for (const token of TOKENS) {
      const expected = moment.tz(instant, zone).format(token);
      expect([instant, token, formatDate(new Date(instant), token, zone)]).toEqual([instant, token, expected]);
    }
  }
});

test.each([
  '',
  'YYYYMMDD-HHmmss',
  '[week]-W',
  'YYYY-MM-DD[T]HH:mm:ssZ',
  '\\MM',
  'YYYY.MM.DD dddd[,] Do',
  'hello world',
  '[LT] LT',
  'DDDDYYYYY',
])('the format "%s" gives what moment.js gives', (format) => {
  const instant = '2026-11-20T07:08:09.010Z';
  expect(formatDate(new Date(instant), format, 'Europe/Paris')).toBe(moment.tz(instant, 'Europe/Paris').format(format));
});

test('an unknown time zone is an error that names it', () => {
  expect(() => formatDate(new Date(0), 'YYYY', 'Mars/Olympus')).toThrow("tz='Mars/Olympus' is no time zone");
});
