// What could be known at a candle, against the analyser itself. The market comes as a file named by RADAR_MARKET.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { eventsOf, fold, knownAt, lineAt, placeClosedAt } from '../../../chartinsightd/web/static/js/known.js';
import { placeOf, seriesOf, withLive, withNewest, withOlder } from '../../../chartinsightd/web/static/js/series.js';

const market = JSON.parse(readFileSync(process.env.RADAR_MARKET, 'utf8'));
const series = seriesOf(market.answer);

test('nothing known at a candle was confirmed after its close', () => {
  for (let place = 0; place < series.rows.length; place += 1) {
    const known = knownAt(series, place);
    const close = known.cut;
    assert.ok(known.points.every((point) => point.confirmedAt <= close && point.known <= place));
    assert.ok(known.patterns.every((pattern) => pattern.confirmedAt <= close && pattern.known <= place));
    assert.ok(known.trends.every((trend) => trend.at <= place));
    assert.ok(eventsOf(series, known).every((event) => event.confirmedAt <= close));
    assert.ok(known.candidate === null || known.candidate.at <= place);
    assert.ok(known.labels.every((label) => label.seen_until <= series.rows[place].ts));
  }
});

test('the skeleton at a past candle is the one the analyser had then', () => {
  for (const { last, skeleton } of market.prefixes) {
    const known = knownAt(series, placeOf(series.rows, last));
    const newest = known.skeleton.slice(-skeleton.length); // the analyser forgets what no rule needs
    assert.deepEqual(newest.map((point) => [point.ts, point.kind]), skeleton);
  }
});

test('a fold alternates and keeps the more extreme of neighbours, of equals the first', () => {
  const point = (at, kind, y) => ({ at, kind, y });
  const folded = fold([point(1, 'peak', 10), point(2, 'peak', 12), point(3, 'peak', 12), point(4, 'valley', 5), point(5, 'valley', 6)]);
  assert.deepEqual(folded.map((p) => p.at), [2, 4]);
});

test('a place that closed at an instant is the candle, never the gap before it', () => {
  for (const row of series.rows.filter((one) => !one.gap && one.closesAt !== null)) {
    assert.equal(series.rows[placeClosedAt(series.rows, row.closesAt)].ts, row.ts);
  }
});

test('pages joined are the whole page', () => {
  const joined = market.pages.slice(1).reduce((held, page) => withOlder(held, seriesOf(page)), seriesOf(market.pages[0]));
  assert.deepEqual(joined.rows.map((row) => row.ts), series.rows.map((row) => row.ts));
  assert.equal(joined.points.length, series.points.length);
  const counted = (patterns) => patterns.map((p) => `${p.pattern_id} ${p.events.length}`).sort();
  assert.deepEqual(counted(joined.patterns), counted(series.patterns));
});

test('a new reading of the newest page keeps the older pages', () => {
  const joined = withOlder(seriesOf(market.pages[0]), seriesOf(market.pages[1]));
  const fresh = withNewest(joined, seriesOf(market.pages[0]));
  assert.equal(fresh.rows.length, joined.rows.length);
  assert.equal(fresh.cursor, joined.cursor);
});

test('a live candle takes the newest place or a new one; an older one asks for a new reading', () => {
  const newest = series.rows.at(-1);
  const candle = { ts: newest.ts, open: 1, high: 3, low: 1, close: 2, volume: 5, final: false };
  assert.equal(withLive(series.rows, candle).length, series.rows.length);
  assert.equal(withLive(series.rows, { ...candle, ts: newest.ts + 86400 }).length, series.rows.length + 1);
  assert.equal(withLive(series.rows, { ...candle, ts: newest.ts - 86400 }), null);
});

test('a missing candle has its place and a reason', () => {
  const gap = series.rows.find((row) => row.gap);
  assert.equal(gap.gap.reason, 'not_fetched_yet');
  assert.ok(Number.isNaN(gap.close));
});

test('a label drawn having seen later candles is hidden and counted', () => {
  const { rows } = series;
  const label = { id: 1, from_ts: rows[100].ts, to_ts: rows[110].ts, seen_until: rows[200].ts, timeframe: '1d', shownIn: '1d' };
  const marked = { ...series, labels: [label] };
  assert.equal(knownAt(marked, 199).hiddenLabels, 1);
  assert.equal(knownAt(marked, 200).labels.length, 1);
});

test('a neckline through two necks slopes, one through a single neck is level', () => {
  for (const pattern of knownAt(series, null).patterns.filter((p) => p.line)) {
    const necks = pattern.points.filter((p) => p.role.endsWith('neckline'));
    if (necks.length === 2) assert.ok(Math.abs(lineAt(pattern.line, necks[1].at) - necks[1].y) < 1e-6);
    else assert.equal(pattern.line.slope, 0);
  }
});
