/**
 * The latest prices that no candle holds yet, told by rounds over many stocks or by the live stream. They are for
 * looking: a candle made of one is provisional, and nothing final rests on it.
 * @module
 */
import { get } from './api.js';
import { dayOf } from './numbers.js';

/** Prices are asked for this often while the page is in sight; only those that changed come. */
const EVERY_MS = 3000;
/** A price that no trade tells is marked from this age on. */
export const OLD_S = 30;

/**
 * @typedef {object} Quote prices in won as traded, instants in epoch seconds; null: not told
 * @property {number} price @property {number | null} base what the day's change refers to
 * @property {number | null} open @property {number | null} high @property {number | null} low
 * @property {number} volume shares of the day so far
 * @property {number | null} traded_at @property {number} read_at
 * @property {'stream' | 'sweep' | 'candles'} source @property {boolean} live every trade of it comes
 */

/** @param {any} answer of /v1/quotes, in columns @returns {Map<string, Quote>} by code */
export function quotesOf(answer) {
  const { symbol, ...columns } = answer;
  const names = Object.keys(columns).filter((name) => Array.isArray(columns[name]));
  return new Map(symbol.map((code, i) => [code, Object.fromEntries(names.map((name) => [name, columns[name][i]]))]));
}

/** The quote where it says more than the newest candle does, else null. @param {Quote | null | undefined} quote @param {import('./series.js').Row | null} row */
export function newerThan(quote, row) {
  if (!quote || quote.source === 'candles' || quote.traded_at === null) return null;
  if (row && !row.final) return quote.live ? null : quote; // live trades are in the candle already
  return !row || quote.traded_at >= (row.closesAt ?? Infinity) ? quote : null;
}

/**
 * Daily candles with today's provisional one in the last place, where the quote has seen more of the day.
 * @param {import('./series.js').Row[]} rows @param {Quote | null | undefined} quote @returns {import('./series.js').Row[]}
 */
export function withQuote(rows, quote) {
  const newest = rows.at(-1);
  const own = newest?.quoted ? [...rows.slice(0, -1), ...(newest.under ? [newest.under] : [])] : rows;
  const under = own.at(-1) ?? null;
  if (!quote || quote.open === null || !newerThan(quote, under)) return own;
  const ts = Date.parse(`${dayOf(/** @type {number} */ (quote.traded_at))}T00:00:00+09:00`) / 1000;
  if (!under || under.ts < ts) return [...own, rowOf(quote, ts, null)];
  if (under.ts > ts || under.gap || under.volume > quote.volume) return own; // a missing candle stays missing
  return [...own.slice(0, -1), rowOf(quote, ts, under)];
}

/** @param {Quote} quote @param {number} ts @param {import('./series.js').Row | null} under the day's own row */
function rowOf(quote, ts, under) {
  const { open, price } = quote;
  const high = Math.max(quote.high ?? price, price, under?.high ?? price);
  const low = Math.min(quote.low ?? price, price, under?.low ?? price);
  return {
    ts, closesAt: under?.closesAt ?? null, open, high, low, close: price, volume: quote.volume,
    final: false, factor: 1, revised: 0, unproved: true, gap: null, quoted: true, under,
  };
}

/** Keeps the quotes of some stocks up to date while it runs. */
export class QuoteFeed {
  /** @param {import('./connection.js').Connection} connection @param {() => string[]} symbols @param {(quotes: Map<string, Quote>, changed: boolean) => void} took */
  constructor(connection, symbols, took) {
    this.connection = connection;
    this.symbols = symbols;
    this.took = took;
    /** @type {Map<string, Quote>} */
    this.quotes = new Map();
    this.asked = '';
    this.cursor = '';
  }

  /** Read now, and again and again; once started it runs until it is stopped. */
  start() {
    if (!this.started) this.turn();
    this.started = true;
  }

  async turn() {
    if (!document.hidden && this.connection.state === 'live') await this.read();
    if (!this.stopped) this.timer = setTimeout(() => this.turn(), EVERY_MS);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  async read() {
    const symbols = this.symbols();
    if (!symbols.length) return;
    const asked = symbols.join();
    let changed = false;
    try {
      const answer = await get('quotes', { symbol: symbols, after: asked === this.asked ? this.cursor : '' });
      if (this.stopped) return;
      this.quotes = new Map(answer.is_whole ? quotesOf(answer) : [...this.quotes, ...quotesOf(answer)]);
      [this.asked, this.cursor, changed] = [asked, answer.cursor, answer.symbol.length > 0];
    } catch {
      // the prices held stay, and tell their age
    }
    if (!this.stopped) this.took(this.quotes, changed);
  }
}
