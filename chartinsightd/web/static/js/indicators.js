/**
 * Averages and RSI for the picture. They are drawn beside the candles and decide nothing: what decides is computed by the daemon.
 * @module
 */

/**
 * Mean of the last `length` closes; null before there are so many.
 * @param {(number | null)[]} closes null: no candle there, passed over
 * @param {number} length
 * @returns {(number | null)[]}
 */
export function movingAverage(closes, length) {
  /** @type {number[]} */
  const window = [];
  let total = 0;
  return closes.map((close) => {
    if (close === null) return null;
    window.push(close);
    total += close;
    if (window.length > length) total -= /** @type {number} */ (window.shift());
    return window.length === length ? total / length : null;
  });
}

/**
 * Relative strength with Wilder's means; 50 where nothing moved.
 * @param {(number | null)[]} closes @param {number} length
 * @returns {(number | null)[]}
 */
export function relativeStrength(closes, length) {
  let before = /** @type {number | null} */ (null);
  let moves = 0;
  let gain = 0;
  let loss = 0;
  return closes.map((close) => {
    if (close === null) return null;
    const move = before === null ? 0 : close - before;
    if (before !== null) moves += 1;
    before = close;
    const kept = moves <= length ? 1 : (length - 1) / length; // a plain mean first, Wilder's from then on
    gain = gain * kept + Math.max(move, 0) / length;
    loss = loss * kept + Math.max(-move, 0) / length;
    if (moves < length) return null;
    return gain + loss === 0 ? 50 : (100 * gain) / (gain + loss);
  });
}
