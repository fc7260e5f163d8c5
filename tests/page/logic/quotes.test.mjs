// Today's provisional candle, made of the latest price.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newerThan, quotesOf, withQuote } from '../../../chartinsightd/web/static/js/quotes.js';

const DAY = 86_400;
const MONDAY = Date.parse('2024-12-16T00:00:00+09:00') / 1000;
const day = (ts, more = {}) => ({ ts, closesAt: ts + 55_800, open: 100, high: 110, low: 95, close: 105, volume: 50, final: true, gap: null, ...more });
const quote = (more = {}) => ({ price: 120, base: 105, open: 106, high: 121, low: 104, volume: 70, traded_at: MONDAY + 40_000, read_at: MONDAY + 40_002, source: 'sweep', live: false, ...more });
const rows = [day(MONDAY - 4 * DAY), day(MONDAY - 3 * DAY)];

test('a day that no candle tells of stands as a provisional one, neither final nor proved', () => {
  const row = withQuote(rows, quote()).at(-1);
  assert.deepEqual([row.ts, row.open, row.high, row.low, row.close, row.volume], [MONDAY, 106, 121, 104, 120, 70]);
  assert.deepEqual([row.final, row.quoted, row.unproved], [false, true, true]);
});

test('a later price takes the place of the earlier one, and the candles below stay as they were', () => {
  const once = withQuote(rows, quote());
  const twice = withQuote(once, quote({ price: 90, volume: 80 }));
  assert.deepEqual(twice.slice(0, -1), rows);
  assert.deepEqual([twice.at(-1).close, twice.at(-1).low], [90, 90]);
  assert.deepEqual(withQuote(twice, null), rows);
});

test('a forming candle yields to a price that has seen more of the day, and keeps its high and low', () => {
  const forming = [...rows, day(MONDAY, { final: false, high: 130, low: 80 })];
  const row = withQuote(forming, quote()).at(-1);
  assert.deepEqual([row.high, row.low, row.close, row.under], [130, 80, 120, forming.at(-1)]);
  assert.deepEqual(withQuote(forming, quote({ volume: 40 })), forming);
});

test('a price makes no candle of a final, a missing or a closed day, nor where it is no trade of today', () => {
  const final = [...rows, day(MONDAY)];
  const missing = [...rows, { ...day(MONDAY), final: false, gap: { reason: 'not_fetched_yet', words: '' } }];
  for (const held of [final, missing]) assert.deepEqual(withQuote(held, quote()), held);
  for (const useless of [{ source: 'candles' }, { traded_at: null }, { open: null }, { traded_at: MONDAY - 3 * DAY + 50_000 }]) {
    assert.deepEqual(withQuote(rows, quote(useless)), rows);
  }
});

test('where every trade comes, the forming candle is the newest price', () => {
  const forming = day(MONDAY, { final: false });
  assert.equal(newerThan(quote({ live: true }), forming), null);
  assert.equal(newerThan(quote(), forming).price, 120);
});

test('columns become quotes by code', () => {
  const found = quotesOf({ at: 1, cursor: 'x', is_whole: true, symbol: ['A', 'B'], price: [1, 2], live: [true, false] });
  assert.deepEqual([...found], [['A', { price: 1, live: true }], ['B', { price: 2, live: false }]]);
});
