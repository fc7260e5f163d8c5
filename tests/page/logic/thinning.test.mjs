// Which marks are drawn where there are more than pixels.
import assert from 'node:assert/strict';
import test from 'node:test';
import { firstFrom, thinned } from '../../../chartinsightd/web/static/js/thinning.js';

const marks = Array.from({ length: 900 }, (_, i) => ({
  at: i * 2, kind: i % 2 ? 'peak' : 'valley', grade: i % 7 ? 'secondary' : 'primary', y: (i * 7919) % 1009,
}));

test('no mark is left out while each has its room', () => {
  assert.equal(thinned(marks, 8), marks);
});

test('of each stretch and kind exactly one mark stays: the primary one, then the most extreme', () => {
  const candles = 24; // of half a pixel in 12 pixels
  const kept = thinned(marks, 0.5);
  const stretchOf = (mark) => `${Math.floor(mark.at / candles)} ${mark.kind}`;
  assert.equal(new Set(kept.map(stretchOf)).size, kept.length);
  assert.equal(kept.length, new Set(marks.map(stretchOf)).size);
  for (const mark of kept) {
    const rivals = marks.filter((one) => stretchOf(one) === stretchOf(mark));
    const first = rivals.some((one) => one.grade === 'primary') ? rivals.filter((one) => one.grade === 'primary') : rivals;
    const extreme = Math[mark.kind === 'peak' ? 'max' : 'min'](...first.map((one) => one.y));
    assert.deepEqual([first.includes(mark), mark.y], [true, extreme]);
  }
});

test('a mark in sight does not come or go when the picture is dragged', () => {
  const all = new Set(thinned(marks, 0.5));
  const inside = (mark) => mark.at >= 240 && mark.at < 960; // whole stretches
  assert.deepEqual(thinned(marks.filter(inside), 0.5), marks.filter((mark) => inside(mark) && all.has(mark)));
});

test('the first item from a candle on is found', () => {
  assert.deepEqual([-1, 0, 1, 1797, 1798, 1799].map((place) => firstFrom(marks, place)), [0, 0, 1, 899, 899, 900]);
});
