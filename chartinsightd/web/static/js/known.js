/**
 * What could be known at one candle. The whole page draws from `knownAt`, so nothing confirmed later can show.
 * @module
 */
import { candleAt, placeOf } from './series.js';

/**
 * @typedef {import('./series.js').Series} Series
 * @typedef {import('./series.js').Row} Row
 * @typedef {import('./series.js').Point & {at: number, known: number, lag: number}} PlacedPoint
 *   at, known: places of the candle and of the one that confirmed it; lag: candles between them
 *
 * @typedef {object} Pattern
 * @property {string} id @property {string} kind @property {string} state
 * @property {number} known place of the candle whose close made the state known
 * @property {number} confirmedAt
 * @property {{at: number, y: number, price: number, role: string, ts: number}[]} points
 * @property {{from: number, y: number, slope: number, price: number} | null} line what must break for it to complete
 * @property {any} levels @property {boolean} complete whether all of its candles are held
 *
 * @typedef {object} Known
 * @property {number} last place of the newest candle that counts
 * @property {boolean} past whether the page is taken back
 * @property {number} cut instant up to which things are known
 * @property {PlacedPoint[]} points by place
 * @property {PlacedPoint[]} skeleton
 * @property {{kind: string, at: number, y: number, ts: number} | null} candidate
 * @property {{at: number, trend: string, ts: number}[]} trends
 * @property {Pattern[]} patterns by the candle of their last state
 * @property {any[]} labels @property {number} hiddenLabels
 */

/**
 * @param {Series} series
 * @param {number | null} until place of the candle at whose close one looks, null for now
 * @returns {Known}
 */
export function knownAt(series, until) {
  const { rows } = series;
  const last = until === null ? rows.length - 1 : Math.min(until, rows.length - 1);
  const cut = until === null ? Infinity : closeOf(rows, last);
  const points = placed(series, cut);
  const skeleton = fold(points);
  const labels = series.labels.map((label) => placedLabel(rows, label));
  const shown = labels.filter((label) => until === null || seenEnd(rows, label) <= cut);
  return {
    last, past: until !== null, cut, points: graded(points), skeleton,
    candidate: candidateAfter(rows, skeleton, last),
    trends: trendsAt(series, cut),
    patterns: patternsAt(series, cut),
    labels: shown.filter((label) => label.from <= last),
    hiddenLabels: labels.length - shown.length,
  };
}

/** The instant at which a place's candle was over. @param {Row[]} rows @param {number} place */
function closeOf(rows, place) {
  const row = candleAt(rows, place);
  return row ? row.closesAt ?? row.ts : -Infinity;
}

/** The place of the candle that closed at an instant. @param {Row[]} rows @param {number} closedAt */
export function placeClosedAt(rows, closedAt) {
  let place = placeOf(rows, closedAt - 1);
  while (place > 0 && (rows[place].gap || (rows[place].closesAt ?? Infinity) > closedAt)) place -= 1;
  return place;
}

/** @param {Series} series @param {number} cut @returns {PlacedPoint[]} */
const placed = (series, cut) => allPlaced(series).filter((point) => point.confirmedAt <= cut);

/** By the points of a series, which like its rows are never changed: each step of the slider asks for all of them again. @type {WeakMap<any, {rows: Row[], points: PlacedPoint[]}>} */
const placedBefore = new WeakMap();

/** Every point in its place, by place. @param {Series} series */
function allPlaced({ rows, points }) {
  const before = placedBefore.get(points);
  if (before?.rows === rows) return before.points;
  const first = rows[0]?.ts ?? Infinity;
  const found = points
    .filter((point) => point.ts >= first)
    .map((point) => {
      const at = placeOf(rows, point.ts);
      const known = placeClosedAt(rows, point.confirmedAt);
      return { ...point, y: point.y ?? measured(rows, at, point.price), at, known, lag: known - at };
    })
    .sort((a, b) => a.at - b.at || a.confirmedAt - b.confirmedAt);
  placedBefore.set(points, { rows, points: found });
  return found;
}

/** One mark for each point: a secondary one that has become primary is shown as primary. @param {PlacedPoint[]} points */
function graded(points) {
  const best = new Map();
  for (const point of points) {
    const key = `${point.at}/${point.kind}`;
    if (!best.has(key) || point.grade === 'primary') best.set(key, point);
  }
  return [...best.values()];
}

/** The alternating skeleton: neighbours of one kind become the more extreme of them, of equals the first. @param {PlacedPoint[]} points */
export function fold(points) {
  /** @type {PlacedPoint[]} */
  const skeleton = [];
  for (const point of points) {
    const before = skeleton.at(-1);
    if (!before || before.kind !== point.kind) skeleton.push(point);
    else if (point.kind === 'peak' ? point.y > before.y : point.y < before.y) skeleton[skeleton.length - 1] = point;
  }
  return skeleton;
}

/** The most extreme final candle of the open leg. @param {Row[]} rows @param {PlacedPoint[]} skeleton @param {number} last */
function candidateAfter(rows, skeleton, last) {
  const from = skeleton.at(-1);
  if (!from) return null;
  const kind = from.kind === 'peak' ? 'valley' : 'peak';
  let best = -1;
  for (let at = from.at + 1; at <= last; at += 1) {
    if (rows[at].gap || !rows[at].final) continue;
    if (best < 0 || (kind === 'peak' ? rows[at].high > rows[best].high : rows[at].low < rows[best].low)) best = at;
  }
  return best < 0 ? null : { kind, at: best, ts: rows[best].ts, y: kind === 'peak' ? rows[best].high : rows[best].low };
}

/** @param {Series} series @param {number} cut */
function trendsAt({ rows, trends }, cut) {
  const known = trends
    .filter((trend) => trend.confirmedAt <= cut)
    .sort((a, b) => a.fromTs - b.fromTs)
    .map((trend) => ({ at: Math.max(0, placeOf(rows, trend.fromTs)), trend: trend.trend, ts: trend.fromTs }));
  return known.filter((trend, i) => known[i + 1]?.at !== trend.at);
}

/** @param {Series} series @param {number} cut @returns {Pattern[]} */
function patternsAt({ rows, patterns }, cut) {
  const found = [];
  for (const pattern of patterns) {
    const event = pattern.events.filter((e) => e.confirmed_at <= cut).at(-1);
    const placed = event ? patternOf(rows, pattern, event) : null;
    if (placed) found.push(placed);
  }
  return found.sort((a, b) => a.known - b.known);
}

/** A price as traded on a candle's day, in the measure of the page. @param {Row[]} rows @param {number} at @param {number} price */
const measured = (rows, at, price) => price * (rows[at]?.factor ?? 1);

/** A pattern in its places; none of its candles held: null until an older page brings them. @param {Row[]} rows @param {any} pattern @param {any} event @returns {Pattern | null} */
function patternOf(rows, pattern, event) {
  const points = event.points
    .map((point) => ({ at: placeOf(rows, point.ts), price: point.price, role: point.role, ts: point.ts }))
    .filter((point) => point.at >= 0)
    .map((point) => ({ ...point, y: measured(rows, point.at, point.price) }));
  if (!points.length) return null;
  const known = placeClosedAt(rows, event.confirmed_at);
  const levels = Object.fromEntries(Object.entries(event.levels).map(([name, level]) => [name, { price: level.price, y: measured(rows, known, level.price) }]));
  return {
    id: pattern.pattern_id, kind: pattern.kind, state: event.state, confirmedAt: event.confirmed_at, known, points, levels,
    complete: points.length === event.points.length, line: lineOf(points, levels),
  };
}

/** The neckline (of a retest, the trigger): through both necks where there are two, else level. @param {any[]} points @param {any} levels */
function lineOf(points, levels) {
  const level = levels.neckline ?? levels.trigger;
  if (!level) return null;
  const necks = points.filter((point) => point.role.endsWith('neckline'));
  const from = necks[0] ?? points[0];
  if (necks.length < 2) return { from: from.at, y: level.y, slope: 0, price: level.price };
  return { from: from.at, y: from.y, slope: (necks[1].y - from.y) / (necks[1].at - from.at || 1), price: level.price };
}

/** @param {{from: number, y: number, slope: number}} line @param {number} at */
export const lineAt = (line, at) => line.y + line.slope * (at - line.from);

/** Seconds of a candle, where the one a label's author saw last is not among the rows. A day counts to midnight: rather hidden than shown early. */
const LENGTHS = { '5m': 300, '30m': 1800, '1h': 3600, '1d': 86400, '1w': 7 * 86400 };

/** The instant up to which the author of a label had seen the market. @param {Row[]} rows @param {any} label */
function seenEnd(rows, label) {
  const row = rows[placeOf(rows, label.seen_until)];
  const same = row && row.ts === label.seen_until && row.closesAt !== null && label.timeframe === label.shownIn;
  return same ? /** @type {number} */ (row.closesAt) : label.seen_until + LENGTHS[label.timeframe];
}

/** @param {Row[]} rows @param {any} label */
function placedLabel(rows, label) {
  return { ...label, from: Math.max(0, placeOf(rows, label.from_ts - 1) + 1), to: placeOf(rows, label.to_ts) };
}

/**
 * Everything that became known, newest first.
 * @param {Series} series @param {Known} known @returns {{what: string, at: number, confirmedAt: number, of: any}[]}
 */
export function eventsOf(series, known) {
  const points = known.points.filter((p) => p.grade === 'primary').map((p) => ({ what: 'point', at: p.known, confirmedAt: p.confirmedAt, of: p }));
  const trends = series.trends
    .filter((trend) => trend.confirmedAt <= known.cut)
    .map((trend) => ({ what: 'trend', at: placeClosedAt(series.rows, trend.confirmedAt), confirmedAt: trend.confirmedAt, of: trend }));
  const patterns = series.patterns.flatMap((pattern) => pattern.events
    .filter((event) => event.confirmed_at <= known.cut)
    .map((event) => ({ what: 'pattern', at: placeClosedAt(series.rows, event.confirmed_at), confirmedAt: event.confirmed_at, of: { kind: pattern.kind, state: event.state } })));
  return [...points, ...trends, ...patterns].sort((a, b) => b.confirmedAt - a.confirmedAt);
}
