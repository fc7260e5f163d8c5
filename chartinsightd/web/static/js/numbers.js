/**
 * Figures and times as the page shows them. Instants are epoch seconds; every time shown is Korean time.
 * @module
 */
import { getLanguage } from './words.js';

/** Korea keeps no summer time: nine hours ahead of UTC, all year. */
export const KST_OFFSET = 9 * 3600;

const GROUPED = new Intl.NumberFormat('ko-KR', { maximumFractionDigits: 0 });
const WEEKDAYS = { ko: ['일', '월', '화', '수', '목', '금', '토'], en: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] };
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Units of a volume, largest first: from this many on, in this unit. */
const UNITS = {
  ko: /** @type {[number, string][]} */ ([[1e12, '조'], [1e8, '억'], [1e4, '만']]),
  en: /** @type {[number, string][]} */ ([[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'K']]),
};

/** Whole won with commas. @param {number} price */
export const won = (price) => GROUPED.format(Math.round(price));

/** A count of shares or won, two figures below ten of the unit. @param {number} count */
export function big(count) {
  for (const [size, unit] of UNITS[getLanguage()]) {
    if (count < size) continue;
    const share = count / size;
    return (share < 9.95 ? share.toFixed(1) : GROUPED.format(Math.round(share))) + unit;
  }
  return GROUPED.format(Math.round(count));
}

/** A change in percent with its sign. @param {number} change @param {number} [digits] */
export function percent(change, digits = 2) {
  const size = Math.abs(change).toFixed(digits);
  const sign = Number(size) === 0 ? '' : change > 0 ? '+' : '−';
  return `${sign}${size} %`;
}

/** A share of 0 to 1 as a rate with one decimal, without the sign of percent. @param {number} share */
export const rate = (share) => (100 * share).toFixed(1);

/** @param {number} change */
export const arrow = (change) => (change > 0 ? '▲' : change < 0 ? '▼' : '–');

/** The class that colours a change. @param {number} change */
export const direction = (change) => (change > 0 ? 'up' : change < 0 ? 'down' : '');

/** The change from one price to another in percent. @param {number} before @param {number} after */
export const changeOf = (before, after) => (before ? (100 * (after - before)) / before : 0);

/** @param {number} n */
const two = (n) => String(n).padStart(2, '0');
/** @param {number} ts */
const inKorea = (ts) => new Date((ts + KST_OFFSET) * 1000);
/** @param {string} timeframe */
const isDaily = (timeframe) => timeframe === '1d' || timeframe === '1w';

/** The Korean year of an instant. @param {number} ts */
export const yearOf = (ts) => inKorea(ts).getUTCFullYear();

/** The Korean day of an instant as 2024-12-16. @param {number} ts */
export const dayOf = (ts) => inKorea(ts).toISOString().slice(0, 10);

/** The time of day, 14:49:31. @param {number} ts */
export const clock = (ts) => inKorea(ts).toISOString().slice(11, 19);

/** RFC 3339 with the Korean offset, as requests want it. @param {number} ts */
export const rfc3339 = (ts) => `${inKorea(ts).toISOString().slice(0, 19)}+09:00`;

/** @param {Date} day @param {string} timeframe */
const minutes = (day, timeframe) => (isDaily(timeframe) ? '' : ` ${two(day.getUTCHours())}:${two(day.getUTCMinutes())}`);

/**
 * A moment in full: 2024-12-16 (월), with the minute on minute charts.
 * @param {number} ts @param {string} timeframe
 */
export function fullTime(ts, timeframe) {
  const day = inKorea(ts);
  const language = getLanguage();
  const weekday = WEEKDAYS[language][day.getUTCDay()];
  const text = language === 'ko'
    ? `${day.toISOString().slice(0, 10)} (${weekday})`
    : `${weekday} ${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]} ${day.getUTCFullYear()}`;
  return text + minutes(day, timeframe);
}

/**
 * A moment in short: 11-14; the year stands with it when it is not the one in view.
 * @param {number} ts @param {string} timeframe @param {number} [yearInView] 0: no year at all
 */
export function shortTime(ts, timeframe, yearInView = 0) {
  const day = inKorea(ts);
  const other = yearInView && day.getUTCFullYear() !== yearInView;
  const year = two(day.getUTCFullYear() % 100);
  const text = getLanguage() === 'ko'
    ? `${other ? `${year}-` : ''}${two(day.getUTCMonth() + 1)}-${two(day.getUTCDate())}`
    : `${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]}${other ? ` ’${year}` : ''}`;
  return text + minutes(day, timeframe);
}

/**
 * A stretch of time; the year is told once, and only when it is not the one in view.
 * @param {number} from @param {number} to @param {string} timeframe @param {number} yearInView
 */
export function stretch(from, to, timeframe, yearInView) {
  const first = yearOf(from);
  if (first !== yearOf(to)) return `${shortTime(from, timeframe, yearInView)} – ${shortTime(to, timeframe, yearInView)}`;
  const korean = getLanguage() === 'ko';
  const start = shortTime(from, timeframe, korean ? yearInView : 0);
  return `${start} – ${shortTime(to, timeframe, korean ? 0 : yearInView)}`;
}

/**
 * A mark of the time axis. `type` as lightweight-charts counts: 0 year, 1 month, 2 day, else a time of day.
 * @param {number} time seconds, already in Korean time @param {number} type
 */
export function axisMark(time, type) {
  const day = new Date(time * 1000);
  const korean = getLanguage() === 'ko';
  if (type === 0) return `${day.getUTCFullYear()}${korean ? '년' : ''}`;
  if (type === 1) return korean ? `${day.getUTCMonth() + 1}월` : MONTHS[day.getUTCMonth()];
  if (type === 2) return `${day.getUTCDate()}${korean ? '일' : ''}`;
  return `${two(day.getUTCHours())}:${two(day.getUTCMinutes())}`;
}
