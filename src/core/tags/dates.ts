import { ConfigurationError } from '../runner/errors.ts';

/** The fields of a moment in one time zone. */
interface LocalTime {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  /** Minutes east of Greenwich. */
  readonly offset: number;
  /** Milliseconds since 1970 in UTC. */
  readonly instant: number;
  readonly zone: string;
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const DAY = 86_400_000;

/** moment.js 2.30, `formattingTokens` of lib/format/format.js: `[text]`, an escaped sign, or a token. */
const TOKENS =
  /(\[[^[]*\])|(\\)?([Hh]mm(?:ss)?|Mo|MM?M?M?|Do|DDDo|DD?D?D?|ddd?d?|do?|w[ow]?|W[oW]?|Qo?|N{1,5}|YYYYYY|YYYYY|YYYY|YY|y{2,4}|yo?|gg(?:ggg?)?|GG(?:GGG?)?|[eEaA]|hh?|HH?|kk?|mm?|ss?|S{1,9}|[xX]|zz?|ZZ?|[\s\S])/g;

/** The long forms of moment's `en` locale. */
const LONG_FORMS: Readonly<Record<string, string>> = {
  LTS: 'h:mm:ss A',
  LT: 'h:mm A',
  L: 'MM/DD/YYYY',
  LL: 'MMMM D, YYYY',
  LLL: 'MMMM D, YYYY h:mm A',
  LLLL: 'dddd, MMMM D, YYYY h:mm A',
  l: 'M/D/YYYY',
  ll: 'MMM D, YYYY',
  lll: 'MMM D, YYYY h:mm A',
  llll: 'ddd, MMM D, YYYY h:mm A',
};
const LONG_TOKENS = /(\[[^[]*\])|(\\)?(LTS|LT|LL?L?L?|l{1,4})/g;

/**
 * Formats a moment by moment.js's tokens (`YYYYMMDD`, `HHmmss`, `[text]`, …) in an IANA time zone.
 *
 * The tokens are those of docker/metadata-action, which takes moment-timezone for them (800 kB with its zone table;
 * Node has the same table in Intl). Throws ConfigurationError when the zone is unknown.
 */
export function formatDate(date: Date, format: string, zone: string): string {
  const time = localTime(date, zone);
  const expanded = (format || 'YYYY-MM-DDTHH:mm:ssZ').replace(
    LONG_TOKENS,
    (all, literal: string | undefined, escaped: string | undefined, token: string) =>
      literal !== undefined || escaped !== undefined ? all : (LONG_FORMS[token] ?? all),
  );
  return expanded.replace(TOKENS, (_, literal: string | undefined, escaped: string | undefined, token: string) => {
    if (literal !== undefined) return literal.slice(1, -1);
    return escaped === undefined ? formatToken(token, time) : token;
  });
}

function localTime(date: Date, zone: string): LocalTime {
  const instant = date.getTime();
  // UTC needs no Intl, whose first formatter costs some milliseconds.
  const fields = zone.toUpperCase() === 'UTC' ? instant : localMilliseconds(date, zone);
  const local = new Date(fields);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth(),
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    millisecond: local.getUTCMilliseconds(),
    offset: Math.round((fields - instant) / 60_000),
    instant,
    zone,
  };
}

/** The local wall clock, as if it were UTC. */
function localMilliseconds(date: Date, zone: string): number {
  const parts = formatterFor(zone, {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  }).formatToParts(date);
  const of = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((part) => part.type === type)?.value);
  const seconds = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return seconds + (date.getTime() - Math.floor(date.getTime() / 1000) * 1000);
}

function formatterFor(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone: zone });
  } catch (cause) {
    throw new ConfigurationError(`tz='${zone}' is no time zone; write an IANA name such as UTC or Europe/Paris`, {
      cause,
    });
  }
}

function pad(value: number, width: number): string {
  return `${value < 0 ? '-' : ''}${String(Math.abs(value)).padStart(width, '0')}`;
}

/** 1 → `1st`, 12 → `12th`. */
function ordinal(value: number): string {
  const last = value % 10;
  const isTeen = Math.floor((value % 100) / 10) === 1;
  return `${value}${isTeen ? 'th' : last === 1 ? 'st' : last === 2 ? 'nd' : last === 3 ? 'rd' : 'th'}`;
}

function offsetText(minutes: number, separator: string): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60), 2)}${separator}${pad(size % 60, 2)}`;
}

function dayOfYear({ year, month, day }: LocalTime): number {
  return Math.round((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / DAY) + 1;
}

function dayOfWeek({ year, month, day }: LocalTime): number {
  return new Date(Date.UTC(year, month, day)).getUTCDay();
}

interface Week {
  readonly year: number;
  readonly week: number;
}

/** Week 1 of ISO 8601 holds 4 January and weeks start on Monday; of locale `en` it holds 1 January, from Sunday on. */
function weekOf(time: LocalTime, kind: 'iso' | 'locale'): Week {
  const firstDay = kind === 'iso' ? 1 : 0;
  const daysIn = kind === 'iso' ? 4 : 1;
  const startOf = (year: number): number => {
    const anchor = new Date(Date.UTC(year, 0, daysIn));
    return anchor.getTime() - ((7 + anchor.getUTCDay() - firstDay) % 7) * DAY;
  };
  const today = Date.UTC(time.year, time.month, time.day);
  const year = today >= startOf(time.year + 1) ? time.year + 1 : today < startOf(time.year) ? time.year - 1 : time.year;
  return { year, week: Math.floor((today - startOf(year)) / (7 * DAY)) + 1 };
}

function zoneName(time: LocalTime): string {
  if (time.zone.toUpperCase() === 'UTC') return 'UTC';
  const parts = formatterFor(time.zone, { timeZoneName: 'short' }).formatToParts(new Date(time.instant));
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
}

function fourDigits(year: number): string {
  return year > 9999 ? `+${year}` : pad(year, 4);
}

const FORMATS: Readonly<Record<string, (time: LocalTime) => string>> = {
  M: (t) => `${t.month + 1}`,
  Mo: (t) => ordinal(t.month + 1),
  MM: (t) => pad(t.month + 1, 2),
  MMM: (t) => (MONTHS[t.month] ?? '').slice(0, 3),
  MMMM: (t) => MONTHS[t.month] ?? '',
  Q: (t) => `${Math.floor(t.month / 3) + 1}`,
  Qo: (t) => ordinal(Math.floor(t.month / 3) + 1),
  D: (t) => `${t.day}`,
  Do: (t) => ordinal(t.day),
  DD: (t) => pad(t.day, 2),
  DDD: (t) => `${dayOfYear(t)}`,
  DDDo: (t) => ordinal(dayOfYear(t)),
  DDDD: (t) => pad(dayOfYear(t), 3),
  d: (t) => `${dayOfWeek(t)}`,
  do: (t) => ordinal(dayOfWeek(t)),
  dd: (t) => (DAYS[dayOfWeek(t)] ?? '').slice(0, 2),
  ddd: (t) => (DAYS[dayOfWeek(t)] ?? '').slice(0, 3),
  dddd: (t) => DAYS[dayOfWeek(t)] ?? '',
  e: (t) => `${dayOfWeek(t)}`,
  E: (t) => `${dayOfWeek(t) || 7}`,
  w: (t) => `${weekOf(t, 'locale').week}`,
  wo: (t) => ordinal(weekOf(t, 'locale').week),
  ww: (t) => pad(weekOf(t, 'locale').week, 2),
  W: (t) => `${weekOf(t, 'iso').week}`,
  Wo: (t) => ordinal(weekOf(t, 'iso').week),
  WW: (t) => pad(weekOf(t, 'iso').week, 2),
  gg: (t) => pad(weekOf(t, 'locale').year % 100, 2),
  gggg: (t) => pad(weekOf(t, 'locale').year, 4),
  ggggg: (t) => pad(weekOf(t, 'locale').year, 5),
  GG: (t) => pad(weekOf(t, 'iso').year % 100, 2),
  GGGG: (t) => pad(weekOf(t, 'iso').year, 4),
  GGGGG: (t) => pad(weekOf(t, 'iso').year, 5),
  YY: (t) => pad(t.year % 100, 2),
  YYYY: (t) => fourDigits(t.year),
  YYYYY: (t) => pad(t.year, 5),
  YYYYYY: (t) => `+${pad(t.year, 6)}`,
  Y: (t) => (t.year > 9999 ? `+${t.year}` : pad(t.year, 4)),
  y: (t) => `${t.year}`,
  yo: (t) => ordinal(t.year),
  yy: (t) => pad(t.year, 2),
  yyy: (t) => pad(t.year, 3),
  yyyy: (t) => pad(t.year, 4),
  N: () => 'AD',
  NN: () => 'AD',
  NNN: () => 'AD',
  NNNN: () => 'Anno Domini',
  NNNNN: () => 'AD',
  a: (t) => (t.hour < 12 ? 'am' : 'pm'),
  A: (t) => (t.hour < 12 ? 'AM' : 'PM'),
  H: (t) => `${t.hour}`,
  HH: (t) => pad(t.hour, 2),
  h: (t) => `${t.hour % 12 || 12}`,
  hh: (t) => pad(t.hour % 12 || 12, 2),
  k: (t) => `${t.hour || 24}`,
  kk: (t) => pad(t.hour || 24, 2),
  hmm: (t) => `${t.hour % 12 || 12}${pad(t.minute, 2)}`,
  hmmss: (t) => `${t.hour % 12 || 12}${pad(t.minute, 2)}${pad(t.second, 2)}`,
  Hmm: (t) => `${t.hour}${pad(t.minute, 2)}`,
  Hmmss: (t) => `${t.hour}${pad(t.minute, 2)}${pad(t.second, 2)}`,
  m: (t) => `${t.minute}`,
  mm: (t) => pad(t.minute, 2),
  s: (t) => `${t.second}`,
  ss: (t) => pad(t.second, 2),
  x: (t) => `${t.instant}`,
  X: (t) => `${Math.floor(t.instant / 1000)}`,
  z: zoneName,
  zz: zoneName,
  Z: (t) => offsetText(t.offset, ':'),
  ZZ: (t) => offsetText(t.offset, ''),
};

function formatToken(token: string, time: LocalTime): string {
  if (/^S+$/.test(token)) return pad(time.millisecond, 3).padEnd(9, '0').slice(0, token.length);
  const format = Object.hasOwn(FORMATS, token) ? FORMATS[token] : undefined;
  return format === undefined ? token : format(time);
}
