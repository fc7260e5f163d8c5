/**
 * The watchlist, as a view and as the rail beside a wide chart.
 * @module
 */
import { get } from './api.js';
import { h } from './dom.js';
import { errorBox, refill } from './frame.js';
import { arrow, big, changeOf, direction, percent, shortTime, won, yearOf } from './numbers.js';
import { patternName, trendWord } from './side-panel.js';
import { spark } from './small-charts.js';
import { ListView, openingRow } from './view.js';
import { readWatchlist } from './watchlist.js';
import { t } from './words.js';

const RECENT = 60;
const MOST = 100;
const USUAL = 20;
/** Bursts of news are read once. */
const SOON_MS = 3000;
const TOGETHER_MS = 500;

/** Read the stocks of the watchlist, in its order. */
export async function readWatched() {
  const codes = (await readWatchlist()).slice(0, MOST);
  if (!codes.length) return [];
  const { items } = await get('stocks', { symbol: codes, recent: RECENT, limit: MOST });
  const order = new Map(codes.map((symbol, i) => [symbol, i]));
  return items.filter((stock) => order.has(stock.symbol)).sort((a, b) => order.get(a.symbol) - order.get(b.symbol));
}

/** What a row tells of a stock. @param {any} stock */
export function factsOf(stock) {
  const close = stock.recent?.close ?? [];
  const volume = stock.recent?.volume ?? [];
  const usual = volume.slice(-USUAL - 1, -1);
  const mean = usual.length === USUAL ? usual.reduce((a, b) => a + b, 0) / USUAL : null;
  return {
    price: close.at(-1) ?? stock.last_price, closes: close, volume: volume.at(-1) ?? null,
    change: close.length > 1 ? changeOf(close.at(-2), close.at(-1)) : null, times: mean ? volume.at(-1) / mean : null,
  };
}

/** @param {any} event */
export function lastEventText(event) {
  if (!event) return '–';
  if (event.what === 'pattern') return `${patternName(event.kind)} ${t(`st.${event.state}`)}`;
  if (event.what === 'trend') return t('ev.trend', { t: t({ up: 'trend.up', down: 'trend.down', sideways: 'trend.side' }[event.kind]) });
  return `${t(`pt.${event.grade ?? 'primary'}.${event.kind}`)}${event.price === null ? '' : ` ${won(event.price)}`}`;
}

/** @param {any} context @param {HTMLElement} rail @param {any[] | null} stocks @param {any} problem @param {string} symbol */
export function drawRail(context, rail, stocks, problem, symbol) {
  if (getComputedStyle(rail).display === 'none') return;
  refill(rail, h('h2', {}, t('view.watch'), h('span', { class: 'count' }, String(stocks?.length ?? ''))),
    problem ? errorBox(problem, () => context.watchRail(rail, symbol, true)) : null,
    stocks?.length === 0 ? h('p', { class: 'empty pad' }, t('empty.watch')) : null,
    stocks?.map((stock) => railRow(context, stock, symbol)));
}

/** @param {any} context @param {any} stock @param {string} symbol */
function railRow(context, stock, symbol) {
  const facts = factsOf(stock);
  return h('button', { class: 'wrow', type: 'button', data: { row: '', key: `watch-${stock.symbol}` }, 'aria-current': stock.symbol === symbol ? 'true' : null, onclick: () => context.go({ view: 'chart', symbol: stock.symbol }) },
    h('span', { class: 'n' }, h('b', {}, stock.name), h('small', {}, lastEventText(stock.last_event))),
    facts.closes.length > 1 ? spark(facts.closes) : h('span', {}),
    h('span', { class: 'p' }, h('b', {}, facts.price === null ? '–' : won(facts.price)), h('small', { class: direction(facts.change ?? 0) }, facts.change === null ? '' : percent(facts.change))));
}

export class WatchPage extends ListView {
  /** @param {any} context */
  constructor(context) {
    super(context, 'watch');
    /** @type {any[] | null} */ this.stocks = null;
    /** @type {any} */ this.drawing = null;
  }

  async load() {
    try {
      this.stocks = await readWatched();
      this.problem = null;
    } catch (problem) {
      this.problem = problem;
    }
    if (!this.gone) this.draw();
  }

  draw() {
    this.tell();
    refill(this.page, h('header', { class: 'pagehead' }, h('h1', {}, t('view.watch')), h('span', { class: 'count' }, String(this.stocks?.length ?? ''))), this.body());
  }

  body() {
    const columns = [['lab.c.stock', ''], ['w.price', 'num'], ['w.chg', 'num'], ['w.month', 'c-spark'], ['w.trend', ''], ['w.last', 'c-ev'], ['w.vol', 'num c-vol'], ['w.vs', 'num c-vs']];
    return this.listOf(this.stocks, 'empty.watch', () => h('table', { class: 'grid list' },
      h('thead', {}, h('tr', {}, columns.map(([word, look]) => h('th', { scope: 'col', class: look }, t(word))))),
      h('tbody', {}, this.stocks.map((stock) => this.row(stock)))));
  }

  /** @param {any} stock */
  row(stock) {
    const facts = factsOf(stock);
    const open = () => this.context.go({ view: 'chart', symbol: stock.symbol });
    const way = direction(facts.change ?? 0);
    const year = yearOf(this.context.connection.now());
    return openingRow(stock.symbol, open,
      h('th', { scope: 'row' }, h('b', {}, stock.name), h('small', { class: 'mono' }, stock.symbol)),
      h('td', {}, h('b', {}, facts.price === null ? '–' : won(facts.price))),
      h('td', { class: way }, facts.change === null ? '–' : `${arrow(facts.change)} ${percent(facts.change)}`),
      h('td', { class: 'c-spark' }, facts.closes.length > 1 ? spark(facts.closes) : null),
      h('td', { class: 'l' }, stock.trend ? trendWord(stock.trend) : '–'),
      h('td', { class: 'l c-ev' }, lastEventText(stock.last_event), stock.last_event ? h('small', {}, shortTime(stock.last_event.confirmed_at, '1d', year)) : null),
      h('td', { class: 'c-vol' }, facts.volume === null ? '–' : big(facts.volume)),
      h('td', { class: 'c-vs' }, facts.times === null ? '–' : t('unit.times', { x: facts.times.toFixed(2) })));
  }

  /** @param {string} type @param {any} data */
  onEvent(type, data) {
    const stock = this.stocks?.find((one) => one.symbol === data?.symbol);
    if (type === 'candle' && stock && data.timeframe === '1d') this.move(stock, data.candle);
    if (!['symbols', 'watchlist', 'reset'].includes(type) && !(type === 'analysis' && stock)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), SOON_MS);
  }

  /** Show the day's candle as it is now. Those of a busy market come often: rows are drawn together. @param {any} stock @param {any} candle */
  move(stock, candle) {
    const recent = stock.recent ?? { ts: [], close: [], volume: [] };
    const at = recent.ts.length - (recent.ts.at(-1) === candle.ts ? 1 : 0);
    [recent.ts[at], recent.close[at], recent.volume[at]] = [candle.ts, candle.close, candle.volume];
    stock.recent = recent;
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      if (!this.gone) this.draw();
    }, TOGETHER_MS);
  }
}
