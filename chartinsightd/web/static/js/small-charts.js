/**
 * Small charts on plain canvas: no chart object for each card.
 * @module
 */
import { drawing, token } from './dom.js';

/**
 * Candles of a card; violet from the first day of the match.
 * @param {{open: number[], high: number[], low: number[], close: number[]}} columns @param {number} since first place of the match, −1 for none
 */
export function smallCandles(columns, since) {
  return drawing('mini', (g, width, height) => {
    const count = columns.close.length;
    const high = Math.max(...columns.high);
    const low = Math.min(...columns.low);
    const place = width / Math.max(count, 1);
    const y = (price) => 6 + (height - 12) * (1 - (price - low) / (high - low || 1));
    if (since >= 0) drawMatch(g, since * place, width, height);
    for (let i = 0; i < count; i += 1) drawCandle(g, columns, i, place, y);
  });
}

/** @param {CanvasRenderingContext2D} g @param {number} x @param {number} width @param {number} height */
function drawMatch(g, x, width, height) {
  g.fillStyle = token('--pattern');
  g.globalAlpha = 0.16;
  g.fillRect(x, 0, width - x, height);
  g.globalAlpha = 1;
  g.fillRect(x, 0, 1, height);
}

/** @param {CanvasRenderingContext2D} g @param {any} columns @param {number} i @param {number} place @param {(price: number) => number} y */
function drawCandle(g, columns, i, place, y) {
  const up = columns.close[i] >= columns.open[i];
  const x = Math.round(i * place + place / 2);
  const body = Math.max(1, Math.round(place * 0.64));
  const top = y(Math.max(columns.open[i], columns.close[i]));
  const size = Math.max(1, Math.abs(y(columns.open[i]) - y(columns.close[i])));
  g.fillStyle = token(up ? '--up' : '--down');
  g.fillRect(x - 0.5, y(columns.high[i]), 1, Math.max(1, y(columns.low[i]) - y(columns.high[i])));
  g.fillRect(x - body / 2, top, body, size);
  if (up && body > 3 && size > 2 && document.documentElement.dataset.palette === 'safe') {
    g.fillStyle = token('--surface');
    g.fillRect(x - body / 2 + 1, top + 1, body - 2, size - 2);
  }
}

/** @param {number[]} closes */
export function spark(closes) {
  return drawing('spark', (g, width, height) => {
    const high = Math.max(...closes);
    const low = Math.min(...closes);
    const x = (i) => 2 + ((width - 6) * i) / Math.max(1, closes.length - 1);
    const y = (v) => 2 + (height - 4) * (1 - (v - low) / (high - low || 1));
    g.strokeStyle = token('--ink-3');
    g.lineWidth = 1.25;
    g.lineJoin = 'round';
    g.beginPath();
    closes.forEach((close, i) => g.lineTo(x(i), y(close)));
    g.stroke();
    const last = closes.length - 1;
    g.fillStyle = token(closes[last] >= closes[0] ? '--up' : '--down');
    g.beginPath();
    g.arc(x(last), y(closes[last]), 2, 0, 7);
    g.fill();
  });
}

/** A rate, its base and its 95 % interval on one scale of 20 to 80 %; all are shares. @param {{rate: number, base: number, low: number, high: number}} statistic */
export function rateScale({ rate, base, low, high }) {
  return drawing('rate', (g, width, height) => {
    const x = (share) => Math.max(1, Math.min(width - 1, 1 + ((width - 2) * (100 * share - 20)) / 60));
    const middle = height / 2;
    g.fillStyle = token('--line');
    g.fillRect(0, middle - 1, width, 2);
    g.fillStyle = token('--line-strong');
    g.fillRect(x(low), middle - 2.5, x(high) - x(low), 5);
    g.fillStyle = token('--ink-2');
    g.fillRect(x(base) - 0.75, 1, 1.5, height - 2);
    g.fillStyle = token('--pattern');
    g.beginPath();
    g.arc(x(rate), middle, 4.5, 0, 7);
    g.fill();
    g.strokeStyle = token('--surface');
    g.lineWidth = 1.5;
    g.stroke();
  });
}
