/**
 * The head of the chart: star, name, price, timeframes, switches and menus.
 * @module
 */
import { h, icon } from './dom.js';
import { arrow, changeOf, clock, direction, fullTime, percent, won } from './numbers.js';
import { OLD_S } from './quotes.js';
import { TIMEFRAMES, VENUES } from './route.js';
import { candleAt, closeBefore } from './series.js';
import { INDICATORS, LAYERS, settings } from './settings.js';
import { t, wordOr } from './words.js';

/** Switches that stand in the toolbar itself where there is room. */
const SWITCHES = ['points', 'trend', 'patterns'];

/** @param {any} page */
export function headOf(page) {
  return h('div', { class: 'head' }, h('div', { class: 'who' }, whoOf(page)), h('div', { class: 'price' }, priceOf(page)), toolsOf(page));
}

/** @param {any} page */
export function whoOf(page) {
  const { stock, symbol } = page;
  const starred = page.context.isWatched(symbol);
  return [
    h('button', { class: `ib star${starred ? ' on' : ''}`, type: 'button', data: { key: 'star' }, 'aria-pressed': String(starred), 'aria-label': t(starred ? 'watch.del' : 'watch.add'), onclick: () => page.toggleStar() }, icon('star')),
    h('h1', {}, stock?.name || symbol),
    stock ? h('span', { class: 'code mono' }, symbol, ' ', stock.market) : null,
    stock?.delisted_on ? h('span', { class: 'chip warn' }, t('delisted', { d: stock.delisted_on, s: stock.successor_name || stock.successor || '–' })) : null,
  ];
}

/** The price now, or at the close to which the page is taken back. @param {any} page */
export function priceOf(page) {
  const { rows, known } = page.scene;
  const row = known ? candleAt(rows, known.last) : null;
  if (!row) return [];
  const quote = page.scene.quote;
  const [price, before] = quote ? [quote.price, quote.base ?? row.close] : [row.close, closeBefore(rows, row, page.timeframe)];
  const change = price - before;
  const way = direction(change);
  const away = page.context.connection.state === 'away' || page.context.connection.state === 'ended';
  return [
    known.past ? h('span', { class: 'then' }, t('asof.price')) : null,
    h('b', { class: way }, won(price)),
    h('span', { class: `won ${way}` }, `${arrow(change)} ${won(Math.abs(change))}`),
    h('span', { class: way }, percent(changeOf(before, price))),
    quote && !away ? ageOf(quote, page.context.connection.now()) : null,
    away ? h('span', { class: 'then' }, t('away.asof', { t: clock(page.context.connection.lastHeard) })) : null,
  ];
}

/** When a price that no trade tells was read; marked once it is old. @param {import('./quotes.js').Quote} quote @param {number} now */
export function ageOf(quote, now) {
  return quote.live ? null : h('span', { class: now - quote.read_at > OLD_S ? 'age old' : 'age' }, t('quote.at', { t: clock(quote.read_at) }));
}

/** @param {any} page */
function toolsOf(page) {
  return h('div', { class: 'tools' },
    timeframesOf(page),
    venuesOf(page),
    switchOf(page, 'adjusted', t('adj.on'), settings.adjusted, () => page.toggleAdjusted()),
    h('span', { class: 'rule' }),
    (page.isKrx ? SWITCHES : []).map((name) => switchOf(page, name, t(`layer.${name}`), settings.layers[name], () => page.toggleLayer(name))),
    menuOf(page, 'layers', t('layers'), 'layers', LAYERS.map((name) => [name, t(`layer.${name}`)])),
    menuOf(page, 'indicators', t('indicators'), 'wave', INDICATORS.map((name) => [name, t(`ind.${name}`)])),
    h('span', { class: 'grow' }),
    toolOf('table', t('table'), 'table', page.table, () => page.toggleTable()),
    toolOf('pen', t('draw'), 'pen', Boolean(page.labels.drawing), () => page.labels.toggle()));
}

/** @param {any} page */
const timeframesOf = (page) => radios({ name: 'tf', values: TIMEFRAMES, chosen: page.timeframe, choose: (timeframe) => page.setTimeframe(timeframe, true) });

/** Where the stock is collected beside KRX too; a stock of KRX alone has nothing to choose. @param {any} page */
function venuesOf(page) {
  const values = VENUES.filter((venue) => venue === page.venue || page.venues.includes(venue));
  if (values.length < 2 && page.isKrx) return null;
  return radios({ name: 'venue', values, chosen: page.venue, choose: (venue) => page.setVenue(venue) });
}

/** One stop of the tab key, arrows inside. @param {{name: string, values: string[], chosen: string, choose: (value: string) => void}} what */
function radios({ name, values, chosen, choose }) {
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    choose(values[(values.indexOf(chosen) + step + values.length) % values.length]);
  };
  return h('div', { class: `seg ${name}s`, role: 'radiogroup', 'aria-label': t(`${name}.label`), onkeydown: move }, values.map((value) => {
    const isChosen = value === chosen;
    return h('button', { type: 'button', role: 'radio', data: { key: `${name}-${value}` }, 'aria-checked': String(isChosen), tabIndex: isChosen ? 0 : -1, onclick: () => choose(value) }, t(`${name}.${value}`));
  }));
}

/** @param {any} page @param {string} name @param {string} label @param {boolean} on @param {() => void} press */
function switchOf(page, name, label, on, press) {
  return h('button', { class: `tb tg${name === 'adjusted' ? ' opt' : ''}`, type: 'button', data: { key: `switch-${name}` }, 'aria-pressed': String(on), onclick: press }, label);
}

/** @param {string} key @param {string} label @param {any} picture @param {boolean} on @param {() => void} press */
function toolOf(key, label, picture, on, press) {
  return h('button', { class: `tb tool ${key}`, type: 'button', data: { key }, 'aria-pressed': String(on), 'aria-label': label, onclick: press }, icon(picture), h('span', {}, label));
}

/** A button with a list of switches under it, which takes the focus and gives it back. @param {any} page @param {string} key @param {string} label @param {any} picture @param {[string, string][]} entries */
function menuOf(page, key, label, picture, entries) {
  const anchor = h('div', { class: 'anchor' });
  const button = h('button', { class: `tb tool ${key === 'indicators' ? 'opt' : ''}`, type: 'button', data: { key: `menu-${key}` }, 'aria-expanded': 'false', 'aria-haspopup': 'true', 'aria-label': label, onclick: () => openMenu(page, anchor, button, label, entries) }, icon(picture), h('span', {}, label));
  anchor.append(button);
  return anchor;
}

/** @param {any} page @param {any} anchor @param {any} button @param {string} label @param {[string, string][]} entries */
function openMenu(page, anchor, button, label, entries) {
  const options = entries.map(([name, word]) => h('label', {}, h('input', { type: 'checkbox', checked: settings.layers[name], onchange: () => page.toggleLayer(name) }), h('span', {}, word)));
  const adjusted = h('label', { class: 'only-narrow' }, h('input', { type: 'checkbox', checked: settings.adjusted, onchange: () => page.toggleAdjusted() }), h('span', {}, t('adj.on')));
  const more = entries.length > INDICATORS.length ? [adjusted, ...INDICATORS.map((name) => h('label', { class: 'only-narrow' }, h('input', { type: 'checkbox', checked: settings.layers[name], onchange: () => page.toggleLayer(name) }), h('span', {}, t(`ind.${name}`))))] : [];
  const menu = h('div', { class: 'menu', role: 'group', 'aria-label': label }, options, more);
  const close = (event) => {
    if (event.type === 'keydown' ? event.key !== 'Escape' : menu.contains(event.target)) return;
    event.stopPropagation();
    menu.remove();
    button.setAttribute('aria-expanded', 'false');
    removeEventListener('pointerdown', close, true);
    removeEventListener('keydown', close, true);
    button.focus();
  };
  anchor.append(menu);
  button.setAttribute('aria-expanded', 'true');
  addEventListener('pointerdown', close, true);
  addEventListener('keydown', close, true);
  menu.querySelector('input').focus();
}

/** Lines over the chart: the candle under the cursor, and the point there or the averages. @param {any} page */
export function legendOf(page) {
  const { rows, known } = page.scene;
  if (!known || !rows.length) return [];
  const place = page.plot.placeInView();
  const row = rows[place];
  const point = known.points.find((p) => p.at === (page.scene.hot ?? place)) ?? (known.candidate?.at === place ? known.candidate : null);
  return [h('div', {}, row.gap ? gapLine(row, page.timeframe) : candleLine(rows, row, page)), point ? pointLine(point, page) : averagesLine()];
}

/** @param {any} row */
export const whyMissing = (row) => wordOr(`why.${row.gap.reason}`, row.gap.words || row.gap.reason);

/** @param {any} row @param {string} timeframe */
function gapLine(row, timeframe) {
  return [h('span', { class: 'doubt' }, t('gap.tip', { d: fullTime(row.ts, timeframe), r: whyMissing(row) })), h('em', { class: 'chip warn' }, t('candle.gap'))];
}

/** @param {any[]} rows @param {any} row @param {any} page */
function candleLine(rows, row, page) {
  const change = changeOf(closeBefore(rows, row, page.timeframe), row.close);
  const figure = (key, value) => h('span', {}, h('i', {}, t(`ohlc.${key}`)), h('b', { class: direction(change) }, won(value)));
  return [
    h('time', {}, fullTime(row.ts, page.timeframe)),
    figure('o', row.open), figure('h', row.high), figure('l', row.low), figure('c', row.close),
    h('span', { class: `pc ${direction(change)}` }, percent(change)),
    h('i', { class: 'st' }), chipsOf(row),
  ];
}

/** How much of a candle is certain: `final`, `forming`, or `quoted` where only a price tells of it. @param {any} row */
export const stateOf = (row) => (row.quoted ? 'quoted' : row.final ? 'final' : 'forming');

/** @param {any} row */
export function chipsOf(row) {
  return [
    h('em', { class: `chip ${stateOf(row)}` }, t(`candle.${stateOf(row)}`)),
    row.revised ? h('em', { class: 'chip warn' }, t('candle.revised', { n: row.revised })) : null,
    row.unproved && row.final ? h('em', { class: 'chip warn' }, t('candle.unproved')) : null,
  ];
}

/** @param {any} point @param {any} page */
function pointLine(point, page) {
  const known = point.known === undefined ? t('pt.open') : page.confirmed(point);
  const word = point.known === undefined ? `pt.cand.${point.kind}` : `pt.${point.grade}.${point.kind}`;
  return h('div', { class: 'ptline' }, `${t(word)} ${won(point.y)} · ${known}`);
}

function averagesLine() {
  const shown = INDICATORS.filter((name) => name.startsWith('ma') && settings.layers[name]);
  return h('div', { class: 'averages' }, shown.map((name) => h('span', { class: name }, `MA ${name.slice(2)}`)));
}
