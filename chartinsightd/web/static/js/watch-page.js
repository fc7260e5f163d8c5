/**
 * The watchlist, as a view and as the rail beside a wide chart.
 * @module
 */
import { get } from './api.js';
import { h } from './dom.js';
import { errorBox, refill, say, toast } from './frame.js';
import { ageOf } from './chart-head.js';
import { arrow, big, changeOf, direction, percent, shortTime, won, yearOf } from './numbers.js';
import { newerThan, QuoteFeed } from './quotes.js';
import { changeSettings, settings } from './settings.js';
import { patternName, trendWord } from './side-panel.js';
import { spark } from './small-charts.js';
import { venueLinks } from './venues.js';
import { ListView, openingRow } from './view.js';
import { editLine, groupTabs, keyOf, rowTools } from './watch-groups.js';
import { changeWatchlist, codesOf, readGroups } from './watchlist.js';
import { t } from './words.js';

const RECENT = 60;
const MOST = 100;
const DAY_S = 86_400;
const USUAL = 20;
/** Bursts of news are read once. */
const SOON_MS = 3000;
const TOGETHER_MS = 500;

/** Read the stocks of the watchlist, in its order. */
export async function readWatched() {
  return readStocks(codesOf(await readGroups()));
}

/** @param {string[]} all codes in the order wanted */
async function readStocks(all) {
  const codes = all.slice(0, MOST);
  if (!codes.length) return [];
  const { items } = await get('stocks', { symbol: codes, recent: RECENT, limit: MOST });
  const order = new Map(codes.map((symbol, i) => [symbol, i]));
  return items.filter((stock) => order.has(stock.symbol)).sort((a, b) => order.get(a.symbol) - order.get(b.symbol));
}

/** What a row tells of a stock. @param {any} stock @param {import('./quotes.js').Quote} [latest] */
export function factsOf(stock, latest) {
  const close = stock.recent?.close ?? [];
  const volume = stock.recent?.volume ?? [];
  const usual = volume.slice(-USUAL - 1, -1);
  const mean = usual.length === USUAL ? usual.reduce((a, b) => a + b, 0) / USUAL : null;
  const quote = quoteOver(stock, latest);
  if (quote) {
    const change = quote.base ? changeOf(quote.base, quote.price) : null;
    return { price: quote.price, closes: close, volume: quote.volume, change, times: mean ? quote.volume / mean : null, quote };
  }
  return {
    quote: null, price: close.at(-1) ?? stock.last_price, closes: close, volume: volume.at(-1) ?? null,
    change: close.length > 1 ? changeOf(close.at(-2), close.at(-1)) : null, times: mean ? volume.at(-1) / mean : null,
  };
}

/** The quote where it says more than the stock's newest day. @param {any} stock @param {import('./quotes.js').Quote | undefined} quote */
function quoteOver(stock, quote) {
  const ts = stock.recent?.ts.at(-1);
  if (ts === undefined) return quote ?? null;
  const day = /** @type {any} */ ({ final: stock.recent.final?.at(-1) ?? true, closesAt: ts + DAY_S });
  return newerThan(quote, day);
}

/** @param {any} event */
export function lastEventText(event) {
  if (!event) return '–';
  if (event.what === 'pattern') return `${patternName(event.kind)} ${t(`st.${event.state}`)}`;
  if (event.what === 'trend') return t('ev.trend', { t: t({ up: 'trend.up', down: 'trend.down', sideways: 'trend.side' }[event.kind]) });
  return `${t(`pt.${event.grade ?? 'primary'}.${event.kind}`)}${event.price === null ? '' : ` ${won(event.price)}`}`;
}

/** @param {any} context @param {HTMLElement} rail @param {{stocks: any[] | null, problem: any, quotes: Map<string, any>}} held @param {string} symbol */
export function drawRail(context, rail, { stocks, problem, quotes }, symbol) {
  if (getComputedStyle(rail).display === 'none') return;
  refill(rail, h('h2', {}, t('view.watch'), h('span', { class: 'count' }, String(stocks?.length ?? ''))),
    problem ? errorBox(problem, () => context.watchRail(rail, symbol, { again: true })) : null,
    stocks?.length === 0 ? h('p', { class: 'empty pad' }, t('empty.watch')) : null,
    stocks?.map((stock) => railRow(context, stock, symbol, quotes.get(stock.symbol))));
}

/** @param {any} context @param {any} stock @param {string} symbol @param {import('./quotes.js').Quote} [quote] */
function railRow(context, stock, symbol, quote) {
  const facts = factsOf(stock, quote);
  return h('button', { class: 'wrow', type: 'button', data: { row: '', key: `watch-${stock.symbol}` }, 'aria-current': stock.symbol === symbol ? 'true' : null, onclick: () => context.go({ view: 'chart', symbol: stock.symbol }) },
    h('span', { class: 'n' }, h('b', {}, stock.name), h('small', {}, lastEventText(stock.last_event))),
    facts.closes.length > 1 ? spark(facts.closes) : h('span', {}),
    h('span', { class: 'p' }, h('b', {}, facts.price === null ? '–' : won(facts.price)), h('small', { class: direction(facts.change ?? 0) }, facts.change === null ? '' : percent(facts.change))));
}

export class WatchPage extends ListView {
  /** @param {any} context */
  constructor(context) {
    super(context, 'watch');
    this.settings = settings;
    /** @type {import('./watchlist.js').Group[] | null} */ this.groups = null;
    /** @type {any[] | null} */ this.stocks = null;
    this.editing = false;
    /** What the line of editing asks for. @type {'new' | 'rename' | 'remove' | null} */ this.asking = null;
    /** @type {any} */ this.drawing = null;
    this.feed = new QuoteFeed(context.connection, () => this.stocks?.map((stock) => stock.symbol) ?? [], (quotes) => this.tookQuotes(quotes));
  }

  /** The one group in view: the only one there is, or the chosen one. */
  get group() {
    if (this.groups?.length === 1) return this.groups[0];
    return this.groups?.find((group) => group.name === settings.group) ?? null;
  }

  /** Stocks of all groups. */
  get count() {
    return this.groups ? codesOf(this.groups).length : 0;
  }

  /** @param {HTMLElement} main */
  mount(main) {
    super.mount(main);
    this.page.addEventListener('keydown', (event) => this.onKey(event));
  }

  destroy() {
    super.destroy();
    this.feed.stop();
  }

  async load() {
    try {
      await this.take(await readGroups(), true);
      this.problem = null;
    } catch (problem) {
      this.problem = problem;
    }
    if (this.gone) return;
    this.draw();
    this.feed.start();
  }

  /** @param {import('./watchlist.js').Group[]} groups @param {boolean} [again] read stocks that are held too */
  async take(groups, again = false) {
    this.groups = groups;
    if (!groups.some((group) => group.name === settings.group)) settings.group = null;
    const wanted = codesOf(this.group ? [this.group] : groups);
    const held = new Map(this.stocks?.map((stock) => [stock.symbol, stock]));
    this.stocks = !again && wanted.every((symbol) => held.has(symbol)) ? wanted.map((symbol) => held.get(symbol)) : await readStocks(wanted);
  }

  /** Change the watchlist; a refusal is told, and nothing on the page has changed. @param {any} what @param {any} how */
  async change(what, how) {
    try {
      await this.take(await changeWatchlist(what, how));
    } catch (problem) {
      const { message, remedy } = /** @type {any} */ (problem);
      toast([message || t('error.title'), remedy].filter(Boolean).join(' '));
      return false;
    }
    this.context.watchChanged();
    if (what === 'groups') this.asking = null;
    if (!this.gone) this.draw();
    return true;
  }

  /** @param {string | null} name @param {boolean} focus */
  async showGroup(name, focus) {
    changeSettings({ group: name });
    this.asking = null;
    try {
      if (this.groups) await this.take(this.groups);
    } catch (problem) {
      this.problem = problem;
    }
    if (this.gone) return;
    this.draw();
    if (focus) /** @type {any} */ (this.page.querySelector(`[data-key="${CSS.escape(keyOf(name))}"]`))?.focus();
  }

  /** @param {'new' | 'rename' | 'remove' | null} what */
  ask(what) {
    const before = this.asking;
    this.asking = what;
    this.draw();
    this.page.querySelector(what ? '.editline input, .editline .prime' : `[data-key="edit-${before}"]`)?.focus();
  }

  /** Move a stock within its group. @param {string} symbol @param {number} step */
  async moveStock(symbol, step) {
    const { group } = this;
    const place = group ? group.stocks.findIndex((stock) => stock.symbol === symbol) + step : -1;
    if (place < 0 || place >= group.stocks.length) return;
    if (await this.change('move', { symbol, group: group.name, place })) say(t('watch.place', { s: group.stocks[place - step].name, n: place + 1 }));
  }

  /** With Shift an arrow moves the row that has the focus. @param {KeyboardEvent} event */
  onKey(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const row = /** @type {any} */ (event.target).closest('tr[data-key]');
    if (!step || !event.shiftKey || !row) return;
    event.preventDefault();
    this.moveStock(row.dataset.key, step);
  }

  /** `w` takes the row that has the focus out; Escape ends the editing. @param {any} command */
  command({ name }) {
    const symbol = /** @type {any} */ (document.activeElement).closest('tr[data-key]')?.dataset.key;
    if (name === 'watch' && symbol) this.change('remove', { symbols: [symbol], group: this.group?.name ?? null });
    else if (name === 'leave' && this.asking) this.ask(null);
    else if (name === 'leave' && this.editing) this.edit(false);
    else return false;
    return true;
  }

  /** @param {boolean} on */
  edit(on) {
    this.editing = on;
    this.asking = null;
    this.draw();
  }

  draw() {
    this.tell();
    refill(this.page, h('header', { class: 'pagehead' }, h('h1', {}, t('view.watch')), h('span', { class: 'count' }, String(this.stocks?.length ?? '')),
      groupTabs(this), h('span', { class: 'grow' }),
      this.groups ? h('button', { class: 'btn', type: 'button', 'aria-pressed': String(this.editing), data: { key: 'edit' }, onclick: () => this.edit(!this.editing) }, t(this.editing ? 'watch.done' : 'watch.edit')) : null,
      editLine(this)), this.body());
  }

  body() {
    const tools = this.editing && this.group;
    const columns = tools ? [['lab.c.stock', ''], ['w.price', 'num c-vol'], ['w.chg', 'num c-vol'], ['watch.edit', 'num']]
      : [['lab.c.stock', ''], ['w.price', 'num'], ['w.chg', 'num'], ['w.month', 'c-spark'], ['w.trend', ''], ['w.last', 'c-ev'], ['w.vol', 'num c-vol'], ['w.vs', 'num c-vs']];
    return this.listOf(this.stocks, 'empty.watch', () => h('table', { class: 'grid list' },
      h('thead', {}, h('tr', {}, columns.map(([word, look]) => h('th', { scope: 'col', class: look }, t(word))))),
      h('tbody', {}, this.stocks.map((stock, at) => this.row(stock, at, tools)))));
  }

  /** @param {any} stock @param {number} at @param {any} tools whether it is edited */
  row(stock, at, tools) {
    const { connection } = this.context;
    const facts = factsOf(stock, this.feed.quotes.get(stock.symbol));
    const open = () => this.context.go({ view: 'chart', symbol: stock.symbol });
    const way = direction(facts.change ?? 0);
    const year = yearOf(connection.now());
    const look = tools ? 'c-vol' : '';
    const cells = [
      h('th', { scope: 'row' }, h('b', {}, stock.name), h('small', { class: 'mono' }, stock.symbol, ' ', tools ? null : venueLinks(stock))),
      h('td', { class: look }, h('b', {}, facts.price === null ? '–' : won(facts.price)), facts.quote ? ageOf(facts.quote, connection.now()) : null),
      h('td', { class: `${way} ${look}` }, facts.change === null ? '–' : `${arrow(facts.change)} ${percent(facts.change)}`),
    ];
    if (tools) return h('tr', { data: { row: '', key: stock.symbol }, tabIndex: 0 }, cells, rowTools(this, stock, at, this.stocks.length));
    return openingRow(stock.symbol, open, cells,
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
    this.timer = setTimeout(() => this.asking || this.load(), SOON_MS); // not while a name is typed
  }

  /** Show the day's candle as it is now. Those of a busy market come often: rows are drawn together. @param {any} stock @param {any} candle */
  move(stock, candle) {
    const recent = stock.recent ?? { ts: [], close: [], volume: [], final: [] };
    const at = recent.ts.length - (recent.ts.at(-1) === candle.ts ? 1 : 0);
    [recent.ts[at], recent.close[at], recent.volume[at], recent.final[at]] = [candle.ts, candle.close, candle.volume, candle.final];
    stock.recent = recent;
    this.drawSoon();
  }

  /** @param {Map<string, import('./quotes.js').Quote>} quotes */
  tookQuotes(quotes) {
    if (quotes.size) this.drawSoon();
  }

  /** Not while one edits: a row that changes under the hand is no help. */
  drawSoon() {
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      if (!this.gone && !this.editing) this.draw();
    }, TOGETHER_MS);
  }
}
