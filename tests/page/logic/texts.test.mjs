// Numbers, times, addresses, keys, screens and notes: the page's texts without the page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Boxes } from '../../../chartinsightd/web/static/js/boxes.js';
import { movingAverage, relativeStrength } from '../../../chartinsightd/web/static/js/indicators.js';
import { commandOf } from '../../../chartinsightd/web/static/js/keys.js';
import { piecesOf } from '../../../chartinsightd/web/static/js/note-text.js';
import { big, fullTime, percent, rfc3339, shortTime, stretch, won } from '../../../chartinsightd/web/static/js/numbers.js';
import { hashOf, routeOf, tokenOf } from '../../../chartinsightd/web/static/js/route.js';
import { conditionText, evidenceTexts, expressionOf, groupsOf, inOrder } from '../../../chartinsightd/web/static/js/screens.js';
import { setLanguage, t, wordOr, WORDS } from '../../../chartinsightd/web/static/js/words.js';

const DAY = Date.parse('2024-12-16T00:00:00+09:00') / 1000;
const inLanguage = (language, body) => {
  setLanguage(language);
  try { body(); } finally { setLanguage('ko'); }
};

test('a figure has its commas, its sign and its unit', () => {
  assert.equal(won(175500.4), '175,500');
  assert.equal(percent(1.654), '+1.65 %');
  assert.equal(percent(-0.34), '−0.34 %');
  assert.equal(percent(0.001), '0.00 %');
  assert.deepEqual([2110000, 120000000, 3.4e12].map(big), ['211만', '1.2억', '3.4조']);
  inLanguage('en', () => assert.equal(big(2110000), '2.1M'));
});

test('a time is Korean time, in short with the year only where it is another', () => {
  assert.equal(fullTime(DAY, '1d'), '2024-12-16 (월)');
  assert.equal(shortTime(DAY + 53400, '5m'), '12-16 14:50');
  assert.equal(shortTime(DAY - 400 * 86400, '1d', 2024), '23-11-12');
  assert.equal(stretch(DAY - 3 * 86400, DAY, '1d', 2024), '12-13 – 12-16');
  assert.equal(rfc3339(DAY), '2024-12-16T00:00:00+09:00');
  inLanguage('en', () => {
    assert.equal(fullTime(DAY, '1d'), 'Mon 16 Dec 2024');
    assert.equal(shortTime(DAY - 400 * 86400, '1d', 2024), '12 Nov ’23');
  });
});

test('every word has both languages and the same places to fill', () => {
  for (const [key, [korean, english]] of Object.entries(WORDS)) {
    const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    assert.ok(korean && english, key);
    assert.deepEqual(places(korean), places(english), key);
  }
  assert.equal(t('stat.few', { n: 18 }), '표본 부족 (n = 18)');
  assert.equal(wordOr('pat.my own', 'my own'), 'my own');
  assert.throws(() => t('no such word'));
});

test('an address says view, stock, timeframe, day and venue, and refuses what it is not', () => {
  assert.deepEqual(routeOf('#chart/000660/5m?at=2024-12-13'), { view: 'chart', symbol: '000660', timeframe: '5m', day: '2024-12-13', venue: 'KRX' });
  assert.deepEqual(routeOf('#evil/<b>/2y?at=x'), { view: 'chart', symbol: null, timeframe: '1d', day: null, venue: 'KRX' });
  assert.equal(routeOf('#chart/000660/5m?venue=moon').venue, 'KRX');
  assert.equal(routeOf('#chart/000660/5m?at=2024-12-13&venue=nxt').venue, 'NXT');
  assert.equal(hashOf({ symbol: '000660', timeframe: '5m', day: '2024-12-13', venue: 'UNIFIED' }), '#chart/000660/5m?at=2024-12-13&venue=unified');
  assert.equal(hashOf({ symbol: '000660', venue: 'KRX' }), '#chart/000660/1d');
  assert.deepEqual(routeOf(hashOf({ view: 'labels', symbol: '005930', timeframe: '1w' })).symbol, '005930');
  assert.deepEqual(tokenOf('#token=abc&symbol=000660'), { token: 'abc', symbol: '000660' });
  assert.equal(tokenOf('#chart/000660/1d'), null);
});

test('a key is taken by its place, so Hangul makes no difference', () => {
  const stroke = (code, key, more = {}) => ({ code, key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });
  assert.deepEqual(commandOf(stroke('KeyB', 'ㅠ'), false), { name: 'draw', value: undefined });
  assert.deepEqual(commandOf(stroke('KeyS', 'ㄴ'), true), { name: 'view', value: 'screener' });
  assert.deepEqual(commandOf(stroke('Comma', '<', { shiftKey: true }), false), { name: 'event', value: -1 });
  assert.deepEqual(commandOf(stroke('KeyK', 'k', { ctrlKey: true }), false), { name: 'search' });
  assert.equal(commandOf(stroke('KeyC', 'c', { ctrlKey: true }), false), null);
});

test('an expression comes back from its groups as it went in', () => {
  const expression = { all: [{ strategy: 'a' }], not: [{ fact: 'market', is: 'KONEX' }] };
  assert.deepEqual(expressionOf(groupsOf(expression)), expression);
  assert.deepEqual(groupsOf({ not: { fact: 'market', is: 'KONEX' } }).not, [{ fact: 'market', is: 'KONEX' }]);
  assert.deepEqual(expressionOf(groupsOf({ strategy: 'a' })), { all: [{ strategy: 'a' }] });
  assert.equal(expressionOf(groupsOf(null)), null);
});

test('a condition and its evidence are told in words', () => {
  const strategies = new Map([['mine', { title: '내 전략' }]]);
  assert.equal(conditionText({ strategy: 'volume_surge', params: { times: 2 } }, strategies), '거래량 급증 · 2배');
  assert.equal(conditionText({ strategy: 'mine' }, strategies), '내 전략');
  assert.equal(conditionText({ fact: 'value', at_least: 1e10 }, strategies), '거래대금 100억 이상');
  const evidence = { macd_golden_cross: { macd: { value: 0.1, unit: '%', ts: 10 } }, rsi_oversold: { rsi: { value: 27.34, unit: '0-100', ts: 30 } } };
  assert.deepEqual(evidenceTexts(evidence, [10, 20, 30], strategies), ['MACD 교차 2봉 전', 'RSI 과매도 27.3']);
});

test('new matches stand first, then the higher score', () => {
  const order = inOrder([{ score: 0.9, is_new: false }, { score: 0.2, is_new: true }, { score: 0.5, is_new: true }]);
  assert.deepEqual(order.map((match) => match.score), [0.5, 0.2, 0.9]);
});

test('every figure of a sentence is its fact, and no figure is found inside another', () => {
  const facts = [{ id: 'a', text: '1,500원' }, { id: 'b', text: '11,500원' }];
  const pieces = piecesOf('종가 11,500원, 저점 1,500원.', facts);
  assert.deepEqual(pieces.map((piece) => piece.fact?.id ?? piece.text), ['종가 ', 'b', ', 저점 ', 'a', '.']);
});

test('a figure whose direction words tell is found without its sign', () => {
  const facts = [{ id: 'a', text: '+10.1%' }, { id: 'b', text: '−0.1%' }];
  const pieces = piecesOf('전일보다 10.1% 올랐고 월간 0.1% 내렸습니다.', facts);
  assert.deepEqual(pieces.map((piece) => piece.fact?.id ?? piece.text), ['전일보다 ', 'a', ' 올랐고 월간 ', 'b', ' 내렸습니다.']);
});

test('averages and RSI are the daemon’s own', () => {
  const { closes, sma, rsi } = JSON.parse(readFileSync(process.env.RADAR_MARKET, 'utf8')).indicators;
  const close = (ours, theirs) => ours.every((value, i) => (value === null ? theirs[i] === null : Math.abs(value - theirs[i]) < 1e-6));
  assert.ok(close(movingAverage(closes, 20), sma));
  assert.ok(close(relativeStrength(closes, 14), rsi));
});

test('a place that is taken is not free', () => {
  const boxes = new Boxes();
  boxes.take(0, 0, 10, 10);
  assert.equal(boxes.isFree(5, 5, 10, 10), false);
  assert.equal(boxes.isFree(10, 0, 10, 10), true);
});
