/**
 * The table: every candle, point, pattern state and confirmation that the chart shows, for whoever cannot see it.
 * @module
 */
import { chipsOf, whyMissing } from './chart-head.js';
import { h } from './dom.js';
import { big, changeOf, direction, fullTime, percent, won } from './numbers.js';
import { closeBefore } from './series.js';
import { patternName } from './side-panel.js';
import { t } from './words.js';

const COLUMNS = ['time', 'o', 'h', 'l', 'c', 'chg', 'v', 'state', 'mark', 'known'];
const PAGE = 100;

/** @param {any} page */
export function candleTable(page) {
  const { rows, known } = page.scene;
  const marks = marksOf(page);
  const shown = Math.min(page.tableRows, known.last + 1);
  const lines = [];
  for (let at = known.last; at > known.last - shown; at -= 1) lines.push(lineOf(page, rows, at, marks.get(at) ?? []));
  const more = known.last + 1 > shown || page.series.cursor;
  return [h('table', { class: 'grid' },
    h('caption', {}, t('tab.caption', { s: page.title(), t: t(`tf.${page.timeframe}`) })),
    h('thead', {}, h('tr', {}, COLUMNS.map((column) => h('th', { scope: 'col', class: `c-${column}` }, t(`tab.${column}`))))),
    h('tbody', {}, lines)),
  more ? h('button', { class: 'btn full', type: 'button', data: { key: 'more' }, onclick: () => page.moreRows(PAGE) }, t('more')) : null];
}

/** @param {any} page @returns {Map<number, [string, string][]>} what was seen at each place, and from when it was known */
function marksOf(page) {
  const { known } = page.scene;
  const marks = new Map();
  const add = (at, text, when) => marks.set(at, [...(marks.get(at) ?? []), [text, when]]);
  for (const point of known.points) add(point.at, `${t(`pt.${point.grade}.${point.kind}`)} ${won(point.y)}`, `${page.short(page.scene.rows[point.known].ts)} (+${point.lag})`);
  if (known.candidate) add(known.candidate.at, `${t(`pt.cand.${known.candidate.kind}`)} ${won(known.candidate.y)}`, t('pt.open'));
  for (const pattern of page.series.patterns) {
    for (const event of pattern.events) {
      if (event.confirmed_at > known.cut) continue;
      const at = page.placeClosedAt(event.confirmed_at);
      add(at, `${patternName(pattern.kind)} ${t(`st.${event.state}`)}`, page.short(page.scene.rows[Math.max(0, at)].ts));
    }
  }
  return marks;
}

/** @param {any} page @param {any[]} rows @param {number} at @param {[string, string][]} marks */
function lineOf(page, rows, at, marks) {
  const row = rows[at];
  const time = h('th', { scope: 'row' }, fullTime(row.ts, page.timeframe));
  if (row.gap) return h('tr', { class: 'gap', tabIndex: -1, data: { row: '' } }, time, h('td', { colSpan: 9 }, `${t('candle.gap')} · ${whyMissing(row)}`));
  const change = changeOf(page.daily() && at ? lastClose(rows, at) : closeBefore(rows, row, page.timeframe), row.close);
  return h('tr', { class: marks.length ? 'marked' : '', tabIndex: -1, data: { row: '' } }, time,
    [row.open, row.high, row.low].map((price) => h('td', {}, won(price))),
    h('td', { class: direction(change) }, h('b', {}, won(row.close))), h('td', { class: direction(change) }, percent(change)),
    h('td', {}, big(row.volume)), h('td', { class: 'c-state' }, chipsOf(row)),
    h('td', { class: 'c-mark' }, marks.map(([text]) => h('div', {}, text))), h('td', { class: 'c-known' }, marks.map(([, when]) => h('div', {}, when))));
}

/** @param {any[]} rows @param {number} at */
function lastClose(rows, at) {
  let before = at - 1;
  while (before > 0 && rows[before].gap) before -= 1;
  return rows[before].gap ? rows[at].open : rows[before].close;
}
