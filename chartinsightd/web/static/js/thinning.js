/**
 * Which marks are drawn when more of them lie in sight than there are pixels for. What is left out stays in the panel
 * and in the table, and comes back with the zoom.
 * @module
 */

/** Two marks of one kind stand at least about this many pixels apart: the width of the largest mark and its edge. */
const MARK_ROOM = 12;

/**
 * Of the marks of one kind (peak or valley) within each stretch of 12 pixels the one that weighs most, in the order
 * given: primary before secondary, then the more extreme. A stretch is a whole number of candles counted from the
 * first one, so dragging the picture changes nothing; only the zoom does.
 * @template {{at: number, kind: string, grade?: string, y: number}} T
 * @param {T[]} marks by place @param {number} bar width of one candle's place in pixels @returns {T[]}
 */
export function thinned(marks, bar) {
  const candles = Math.floor(MARK_ROOM / bar);
  if (candles < 2) return marks;
  const best = new Map();
  for (const mark of marks) {
    const key = 2 * Math.floor(mark.at / candles) + (mark.kind === 'peak' ? 1 : 0);
    const held = best.get(key);
    if (held === undefined || outweighs(mark, held)) best.set(key, mark);
  }
  const kept = new Set(best.values());
  return marks.filter((mark) => kept.has(mark));
}

/** @param {any} mark @param {any} held */
function outweighs(mark, held) {
  if (mark.grade !== held.grade) return mark.grade === 'primary';
  return mark.kind === 'peak' ? mark.y > held.y : mark.y < held.y;
}

/** The place in a list, sorted by `at`, of the first item at or after a candle. @param {{at: number}[]} items @param {number} place */
export function firstFrom(items, place) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].at < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
