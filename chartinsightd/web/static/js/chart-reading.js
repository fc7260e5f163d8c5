/**
 * What the chart view has of the daemon: candles in pages, notes, statistics, and what the event stream tells.
 * @module
 */
import { get } from './api.js';
import { fill } from './dom.js';
import { errorBox, say } from './frame.js';
import { rfc3339 } from './numbers.js';
import { QuoteFeed, withQuote } from './quotes.js';
import { seriesOf, withLive, withNewest, withOlder } from './series.js';
import { settings } from './settings.js';
import { t } from './words.js';

/** Candles of the first page and of each older one. */
const PAGE = 500;
const OLDER_PAGE = 1000;
/** After a word that something changed, the answer is read again once in this time. */
const REREAD_MS = 1500;
const LOADING_AFTER_MS = 200;
/** Statistics are asked for once the slider has rested this long. */
const REST_MS = 350;
/** Answers of statistics that are kept, one for each place of the slider. */
const KEPT = 64;
/** A new final candle is read out at most this often. */
const SAY_MS = 10_000;
const NOTES = 20;
/** No event tells of candles of a venue beside KRX: they are read again this often. */
const VENUE_MS = 30_000;

export class ChartReading {
  /** @param {any} page the chart view it reads for */
  constructor(page) {
    this.page = page;
    /** @type {any} the newest answer of /v1/radar */
    this.answer = null;
    /** @type {import('./series.js').Series | null} */
    this.series = null;
    /** Statistics by the instant up to which they count, 0 for now. @type {Map<number, any[]>} */
    this.counted = new Map();
    this.statisticsProblem = /** @type {any} */ (null);
    this.notes = /** @type {any[] | null} */ (null);
    this.notesProblem = /** @type {any} */ (null);
    this.feed = new QuoteFeed(page.context.connection, () => [...new Set([page.symbol, ...page.context.railed(page.rail)])], (quotes, changed) => {
      this.takeQuote(quotes.get(page.symbol));
      if (changed) page.context.watchRail(page.rail, page.symbol, { quotes });
    });
    /** @type {import('./quotes.js').Quote | null} the latest price */
    this.quote = null;
    this.readsOlder = false;
    this.counting = false;
    this.saidAt = 0;
    this.gone = false;
    this.venueTimer = setInterval(() => !page.isKrx && this.series && this.reread(), VENUE_MS);
  }

  stop() {
    this.gone = true;
    this.feed.stop();
    clearTimeout(this.rereadTimer);
    clearTimeout(this.statisticsTimer);
    clearInterval(this.venueTimer);
  }

  // ---- candles

  /** Read other candles of the same stock: of another measure or venue. */
  anew() {
    this.series = null;
    this.load();
  }

  async load() {
    const slow = setTimeout(() => !this.series && !this.gone && this.page.showLoading(), LOADING_AFTER_MS);
    try {
      const answer = await this.read(null, PAGE);
      if (!this.isWanted(answer)) return;
      this.take(answer);
      this.page.start();
      this.feed.start();
    } catch (problem) {
      if (!this.gone) this.page.fail(problem);
    } finally {
      clearTimeout(slow);
    }
  }

  /** @param {string | null} cursor @param {number} limit */
  read(cursor, limit) {
    const { symbol, timeframe, venue, isKrx } = this.page;
    return get(`radar/${symbol}`, { timeframe, venue: isKrx ? null : venue, adjusted: settings.adjusted, final: cursor ? null : false, limit, cursor });
  }

  /** Whether an answer is still what the page shows: another venue may have been chosen meanwhile. @param {any} answer */
  isWanted(answer) {
    return !this.gone && answer.venue === this.page.venue;
  }

  /** @param {any} answer */
  take(answer) {
    this.answer = answer;
    const fresh = seriesOf(answer);
    this.series = this.series ? withNewest(this.series, fresh) : fresh;
    this.putQuote();
  }

  /** @param {import('./quotes.js').Quote | undefined} quote */
  takeQuote(quote) {
    if (!this.series || !this.page.isKrx) return;
    const changed = quote !== (this.quote ?? undefined);
    this.quote = quote ?? null;
    const before = this.series.rows;
    if (changed) this.putQuote();
    const { rows } = this.series;
    if (rows === before) this.page.tookPrice();
    else if (rows.length < before.length) this.page.refresh();
    else this.page.tookLive(rows.length > before.length);
  }

  /** Today's day as the latest price tells it. */
  putQuote() {
    if (!this.page.isKrx) this.quote = null;
    else if (this.page.timeframe === '1d' && this.quote) this.series = { ...this.series, rows: withQuote(this.series.rows, this.quote) };
  }

  /** Read the newest page again, soon: several words of a change are one reading. */
  rereadSoon() {
    clearTimeout(this.rereadTimer);
    this.rereadTimer = setTimeout(() => this.reread(), REREAD_MS);
  }

  /** Answers how many candles came. */
  async reread() {
    const before = this.series?.rows.length ?? 0;
    try {
      const answer = await this.read(null, PAGE);
      if (!this.isWanted(answer) || this.isSame(answer)) return 0;
      this.take(answer);
      this.counted.clear();
      if (before) this.page.refresh();
      else this.page.start();
      this.countSoon();
      return this.series.rows.length - before;
    } catch (problem) {
      if (!this.gone && /** @type {any} */ (problem).status) this.page.fail(problem);
      return 0;
    }
  }

  /** Whether a reading of a venue brought nothing new. @param {any} answer */
  isSame(answer) {
    return !this.page.isKrx && Boolean(this.series) && answer.data_id === this.answer.data_id;
  }

  async loadOlder() {
    if (this.readsOlder || !this.series?.cursor) return;
    const { olderNote } = this.page.plot;
    this.readsOlder = true;
    olderNote.textContent = t('loading.older');
    try {
      const answer = await this.read(this.series.cursor, OLDER_PAGE);
      if (!this.isWanted(answer) || !this.series) return;
      const older = seriesOf(answer);
      const before = this.series.rows.length;
      this.series = withOlder(this.series, older);
      this.page.tookOlder(this.series.rows.length - before);
      fill(olderNote);
    } catch (problem) {
      if (!this.gone) fill(olderNote, errorBox(problem, () => { fill(olderNote); this.loadOlder(); }));
    } finally {
      this.readsOlder = false;
    }
  }

  // ---- what stands beside the chart

  async loadNotes() {
    try {
      this.notes = (await get('notes', { symbol: this.page.symbol, limit: NOTES })).items;
      this.notesProblem = null;
    } catch (problem) {
      this.notesProblem = problem;
    }
    if (!this.gone && this.series) this.page.drawSide();
  }

  /** The statistics as they could be counted at the candle in view; null while they are being read. */
  get statistics() {
    return this.counted.get(this.cut()) ?? null;
  }

  /** The instant up to which the page counts, 0 for now. */
  cut() {
    const { known } = this.page.scene;
    return known?.past ? known.cut : 0;
  }

  /** Ask for the statistics of the candle in view, once the slider rests. */
  countSoon() {
    clearTimeout(this.statisticsTimer);
    if (!this.page.isKrx) return;
    if (!this.statistics) this.statisticsTimer = setTimeout(() => this.loadStatistics(), this.cut() ? REST_MS : 0);
  }

  /** One question at a time: counting takes the daemon seconds, and only the last place of a moving slider matters. */
  async loadStatistics() {
    if (this.counting) return;
    const cut = this.cut();
    this.counting = true;
    try {
      const { items } = await get('statistics/patterns', { timeframe: this.page.timeframe, until: cut ? rfc3339(cut) : null });
      if (this.counted.size >= KEPT) this.counted.delete(this.counted.keys().next().value);
      this.counted.set(cut, items);
      this.statisticsProblem = null;
    } catch (problem) {
      this.statisticsProblem = problem;
    }
    this.counting = false;
    if (this.gone || !this.series) return;
    this.page.drawSide();
    if (cut !== this.cut()) this.countSoon();
  }

  // ---- the stream

  /** @param {string} type @param {any} data */
  onEvent(type, data) {
    const { symbol, timeframe } = this.page;
    if (!this.page.isKrx && type !== 'note' && type !== 'reset') return;
    if (type === 'candle') this.onCandle(data);
    else if (type === 'note') this.loadNotes();
    else if (type === 'reset' || (data?.symbol === symbol && (type === 'label' || data.timeframe === timeframe))) this.rereadSoon();
  }

  /** @param {any} data */
  onCandle(data) {
    if (data.symbol !== this.page.symbol || data.timeframe !== this.page.timeframe || !this.series) return;
    const rows = withLive(this.series.rows, data.candle);
    if (!rows) {
      this.rereadSoon();
      return;
    }
    const appended = rows.length - this.series.rows.length;
    const becameFinal = data.candle.final && !this.series.rows.at(-1)?.final;
    this.series = { ...this.series, rows };
    if (becameFinal) this.rereadSoon();
    this.page.tookLive(appended > 0);
    if (data.candle.final) this.sayFinal();
  }

  sayFinal() {
    if (performance.now() - this.saidAt < SAY_MS || this.page.scene.known.past) return;
    this.saidAt = performance.now();
    say(this.page.walk.spoken(this.page.scene.rows.length - 1));
  }
}
