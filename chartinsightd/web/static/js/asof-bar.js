/**
 * The as-of bar: the whole history held, and the candle at whose close the page looks.
 * @module
 */
import { drawing, h, icon, token } from './dom.js';
import { eventsOf } from './known.js';
import { fullTime } from './numbers.js';
import { t } from './words.js';

/** @param {any} page */
export function asOfBar(page) {
  const bar = { box: h('div', { class: 'asof' }), track: null, page };
  build(bar);
  return bar;
}

/** @param {any} bar */
function build(bar) {
  const { page } = bar;
  bar.back = h('button', { class: 'ib', type: 'button', disabled: true, 'aria-label': t('asof.prev'), onclick: () => page.walk.stepAsOf(-1) }, icon('left'));
  bar.forth = h('button', { class: 'ib', type: 'button', disabled: true, 'aria-label': t('asof.next'), onclick: () => page.walk.stepAsOf(1) }, icon('right'));
  bar.read = h('div', { class: 'read' });
  bar.track = drawing('track', (g, width, height) => drawTrack(g, width, height, page));
  bar.slider = h('input', { type: 'range', min: '0', step: '1', 'aria-label': t('asof.label'), oninput: () => page.walk.slideTo(Number(bar.slider.value)), onkeydown: (event) => event.key.startsWith('Arrow') && event.stopPropagation() });
  bar.now = h('button', { class: 'btn', type: 'button', hidden: true, onclick: () => page.walk.setAsOf(null) }, t('asof.back'));
  bar.box.replaceChildren(bar.back, bar.forth, bar.read, h('div', { class: 'trackbox' }, bar.track, bar.slider), bar.now);
}

/** @param {any} bar */
export function drawAsOf(bar) {
  const { rows, known } = bar.page.scene;
  if (!known || !rows.length) return;
  const day = fullTime(rows[known.last].ts, bar.page.timeframe);
  bar.box.classList.toggle('on', known.past);
  bar.now.hidden = !known.past;
  bar.forth.disabled = !known.past;
  bar.back.disabled = known.last === 0;
  bar.read.replaceChildren(h('b', {}, known.past ? t('asof.on', { d: day }) : t('asof.label')), h('span', {}, known.past ? t('asof.on2') : `${t('asof.now')} · ${day}`));
  bar.slider.max = String(rows.length - 1);
  bar.slider.value = String(known.last);
  bar.slider.setAttribute('aria-valuetext', t('asof.aria', { d: day, n: known.last + 1, m: rows.length }));
  bar.track.paint();
}

/** @param {CanvasRenderingContext2D} g @param {number} width @param {number} height @param {any} page */
function drawTrack(g, width, height, page) {
  const { rows, known } = page.scene;
  if (!known || rows.length < 2) return;
  const inset = 5;
  const x = (place) => inset + ((width - 2 * inset) * place) / (rows.length - 1);
  const floor = height - 10;
  g.strokeStyle = known.past ? token('--on-inverse') : token('--line-strong');
  g.fillStyle = g.strokeStyle;
  g.fillRect(x(0), floor, x(rows.length - 1) - x(0), 1);
  drawCloses(g, rows, known.last, x, floor);
  drawEvents(g, page, x, floor);
  drawThumb(g, x(known.last), height, known.past);
}

/** @param {CanvasRenderingContext2D} g @param {any[]} rows @param {number} last @param {(place: number) => number} x @param {number} floor */
function drawCloses(g, rows, last, x, floor) {
  const step = Math.max(1, Math.floor(last / 600)); // a pixel shows no more
  const places = [];
  for (let at = 0; at <= last; at += step) if (!rows[at].gap) places.push(at);
  let low = Infinity;
  let high = -Infinity;
  for (const at of places) {
    low = Math.min(low, rows[at].close);
    high = Math.max(high, rows[at].close);
  }
  const y = (close) => 2 + (floor - 6) * (1 - (close - low) / (high - low || 1));
  g.beginPath();
  for (const at of places) g.lineTo(x(at), y(rows[at].close));
  g.stroke();
  g.lineTo(x(places.at(-1) ?? 0), floor);
  g.lineTo(x(0), floor);
  g.globalAlpha = 0.12;
  g.fill();
  g.globalAlpha = 1;
}

/** Ticks where points became known, dots where patterns changed; nothing that became known later. @param {CanvasRenderingContext2D} g @param {any} page @param {(place: number) => number} x @param {number} floor */
function drawEvents(g, page, x, floor) {
  const { known } = page.scene;
  for (const event of eventsOf(page.series, known)) {
    if (event.what === 'point') {
      g.fillStyle = token(known.past ? '--on-inverse' : '--ink-3');
      g.fillRect(x(event.at), floor + 2, 1, 5);
    } else if (event.what === 'pattern') {
      g.fillStyle = token(known.past ? '--on-inverse' : '--pattern');
      g.beginPath();
      g.arc(x(event.at), floor + 4.5, 2.5, 0, 7);
      g.fill();
    }
  }
}

/** @param {CanvasRenderingContext2D} g @param {number} x @param {number} height @param {boolean} past */
function drawThumb(g, x, height, past) {
  g.fillStyle = token(past ? '--on-inverse' : '--inverse');
  g.fillRect(x - 1, 0, 2, height);
  g.beginPath();
  g.roundRect(x - 5, height / 2 - 9, 10, 18, 4);
  g.fill();
}
