/**
 * One stock's candles of one timeframe as the page holds them: the columns of the answer made rows, missing candles
 * put in their places, older pages joined on, live candles taken in. Nothing here touches the page.
 * @module
 */
import { dayOf } from './numbers.js';

/**
 * @typedef {object} Row a candle, or the place of a missing one (`gap`)
 * @property {number} ts start, epoch seconds
 * @property {number | null} closesAt
 * @property {number} open @property {number} high @property {number} low @property {number} close
 * @property {number} volume
 * @property {boolean} final
 * @property {number} factor price in the measure of the page over price as traded
 * @property {number} revised how often the broker corrected this candle
 * @property {boolean} unproved its session has no full seal
 * @property {{reason: string, words: string} | null} gap why the candle is missing
 * @property {boolean} [quoted] made of a quote, over the row `under` it: provisional (quotes.js)
 * @property {Row | null} [under]
 *
 * @typedef {object} Point
 * @property {number} ts @property {'peak' | 'valley'} kind @property {'primary' | 'secondary'} grade
 * @property {number} price won as traded @property {number} y the same in the measure of the candles
 * @property {number} confirmedAt @property {string} cause
 *
 * @typedef {object} Series
 * @property {Row[]} rows oldest first
 * @property {Point[]} points in the order of their confirmation
 * @property {{fromTs: number, trend: string, confirmedAt: number}[]} trends
 * @property {any[]} patterns @property {any[]} labels
 * @property {{sessions: number | null, proved: number | null}} proof
 * @property {string | null} cursor of the page before the oldest one
 * @property {boolean} startsHere whether the first row is the first candle kept
 */

/** @param {any} answer of /v1/radar @returns {Series} */
export function seriesOf(answer) {
  return {
    rows: rowsOf(answer),
    points: pointsOf(answer.points),
    trends: trendsOf(answer.trends),
    patterns: answer.patterns,
    labels: answer.labels.map((label) => ({ ...label, shownIn: answer.timeframe })),
    proof: { sessions: answer.proof.sessions, proved: answer.proof.proved },
    cursor: answer.cursor,
    startsHere: answer.starts_here,
  };
}

/** @param {any} answer @returns {Row[]} */
function rowsOf(answer) {
  const unproved = new Set(answer.proof.unproved);
  const revised = new Map(answer.proof.revised.ts.map((ts, i) => [ts, answer.proof.revised.times[i]]));
  const c = answer.candles;
  const candles = c.ts.map((ts, i) => ({
    ts, closesAt: c.closes_at[i], open: c.open[i], high: c.high[i], low: c.low[i], close: c.close[i], volume: c.volume[i],
    final: c.final[i], factor: c.factor?.[i] ?? 1, revised: revised.get(ts) ?? 0, unproved: unproved.has(dayOf(ts)), gap: null,
  }));
  return byTime([...candles, ...gapsOf(answer.proof.missing)]);
}

/** @param {any} missing @returns {Row[]} */
function gapsOf(missing) {
  return missing.ts.map((ts, i) => ({
    ts, closesAt: null, open: NaN, high: NaN, low: NaN, close: NaN, volume: 0, final: false, factor: 1, revised: 0, unproved: false,
    gap: { reason: missing.reason[i], words: missing.words?.[i] ?? '' },
  }));
}

/** Sort by start; a candle wins over the gap that it filled. @param {Row[]} rows */
function byTime(rows) {
  const kept = new Map();
  for (const row of rows) if (!row.gap || !kept.has(row.ts)) kept.set(row.ts, row);
  return [...kept.values()].sort((a, b) => a.ts - b.ts);
}

/** @param {any} columns @returns {Point[]} */
function pointsOf(columns) {
  return columns.ts
    .map((ts, i) => ({
      ts, kind: columns.kind[i], grade: columns.grade[i], price: columns.price[i], y: columns.y[i],
      confirmedAt: columns.confirmed_at[i], cause: columns.cause[i],
    }))
    .sort((a, b) => a.confirmedAt - b.confirmedAt);
}

/** @param {any} columns */
function trendsOf(columns) {
  return columns.from_ts.map((fromTs, i) => ({ fromTs, trend: columns.trend[i], confirmedAt: columns.confirmed_at[i] }));
}

/** Join an older page on the left. @param {Series} newer @param {Series} older @returns {Series} */
export function withOlder(newer, older) {
  return {
    rows: byTime([...older.rows, ...newer.rows]),
    points: once([...older.points, ...newer.points], (p) => `${p.ts}/${p.kind}/${p.grade}`)
      .sort((a, b) => a.confirmedAt - b.confirmedAt),
    trends: once([...older.trends, ...newer.trends], (trend) => String(trend.fromTs)),
    patterns: joinPatterns(older.patterns, newer.patterns),
    labels: once([...newer.labels, ...older.labels], (label) => String(label.id)),
    proof: { sessions: sum(older.proof.sessions, newer.proof.sessions), proved: sum(older.proof.proved, newer.proof.proved) },
    cursor: older.cursor,
    startsHere: older.startsHere,
  };
}

/** Take in a newer reading of the newest page; what older pages brought stays. @param {Series} held @param {Series} fresh */
export function withNewest(held, fresh) {
  const from = fresh.rows[0]?.ts ?? Infinity;
  const older = held.rows.filter((row) => row.ts < from);
  if (!older.length) return fresh;
  const joined = withOlder(fresh, { ...held, rows: older, labels: held.labels.filter((label) => label.to_ts < from) });
  return { ...joined, proof: held.proof };
}

/** @template T @param {T[]} items @param {(item: T) => string} key @returns {T[]} */
function once(items, key) {
  const kept = new Map();
  for (const item of items) if (!kept.has(key(item))) kept.set(key(item), item);
  return [...kept.values()];
}

/** A pattern may have states on both pages. @param {any[]} older @param {any[]} newer */
function joinPatterns(older, newer) {
  const all = new Map(older.map((pattern) => [pattern.pattern_id, pattern]));
  for (const pattern of newer) {
    const events = [...(all.get(pattern.pattern_id)?.events ?? []), ...pattern.events];
    all.set(pattern.pattern_id, { ...pattern, events: once(events, (event) => event.state) });
  }
  return [...all.values()];
}

/** @param {number | null} a @param {number | null} b */
const sum = (a, b) => (a === null || b === null ? null : a + b);

/**
 * Take in a live candle. It is added at the end, or takes the place of the newest one; a correction of an older
 * candle is not taken here, since with it points and proof change: `null` says that the page has to be read again.
 * @param {Row[]} rows @param {any} candle as an event carries it
 * @returns {Row[] | null}
 */
export function withLive(rows, candle) {
  const newest = rows.at(-1);
  if (newest && candle.ts < newest.ts) return null;
  const row = {
    ts: candle.ts, closesAt: newest?.ts === candle.ts ? newest.closesAt : null, open: candle.open, high: candle.high,
    low: candle.low, close: candle.close, volume: candle.volume, final: candle.final, factor: 1, revised: 0, unproved: true, gap: null,
  };
  return newest?.ts === candle.ts ? [...rows.slice(0, -1), row] : [...rows, row];
}

/** The place of the last row that starts at or before an instant, −1 when all are later. @param {Row[]} rows @param {number} ts */
export function placeOf(rows, ts) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].ts <= ts) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The nearest real candle at or before a place. @param {Row[]} rows @param {number} place */
export function candleAt(rows, place) {
  let at = Math.min(place, rows.length - 1);
  while (at >= 0 && rows[at].gap) at -= 1;
  return rows[at] ?? null;
}

/** The close that a change counts from: of the candle before, on minute charts of the day before. @param {any[]} rows @param {any} row @param {string} timeframe */
export function closeBefore(rows, row, timeframe) {
  const daily = timeframe === '1d' || timeframe === '1w';
  const day = dayOf(row.ts);
  for (let at = rows.length - 1; at >= 0; at -= 1) {
    if (rows[at].ts < row.ts && !rows[at].gap && (daily || dayOf(rows[at].ts) !== day)) return rows[at].close;
  }
  return row.open;
}
