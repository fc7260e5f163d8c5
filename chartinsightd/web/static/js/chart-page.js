/**
 * The chart view: one stock in one timeframe, as known at one candle. It holds the parts together — what was read, the
 * picture, going through it, labels — and draws all of them from one scene.
 * @module
 */
import { asOfBar, drawAsOf } from './asof-bar.js';
import { headOf, priceOf } from './chart-head.js';
import { ChartLabels } from './chart-labels.js';
import { ChartPlot } from './chart-plot.js';
import { ChartReading } from './chart-reading.js';
import { ChartWalk } from './chart-walk.js';
import { candleTable } from './candle-table.js';
import { fill, h } from './dom.js';
import { errorBox, refill, say, toast } from './frame.js';
import { knownAt, placeClosedAt } from './known.js';
import { shortTime, yearOf } from './numbers.js';
import { newerThan } from './quotes.js';
import { TIMEFRAMES, VENUES } from './route.js';
import { candleAt, placeOf } from './series.js';
import { changeSettings, settings } from './settings.js';
import { sidePanel } from './side-panel.js';
import { t } from './words.js';

/** Below this width the page is a phone's. */
const NARROW = 768;
const TABLE_ROWS = 100;

export class ChartPage {
  /** @param {any} context @param {{symbol: string, timeframe: string, day: string | null, venue: string}} route */
  constructor(context, route) {
    this.context = context;
    this.symbol = route.symbol;
    this.timeframe = route.timeframe;
    this.venue = route.venue;
    /** Day to open at. @type {string | null} */
    this.day = route.day;
    /** Start of the candle at whose close one looks; null: now. @type {number | null} */
    this.untilTs = null;
    this.table = false;
    this.tableRows = TABLE_ROWS;
    this.gone = false;
    /** @type {any} */
    this.scene = { rows: [], known: null, layers: settings.layers, timeframe: this.timeframe, chosen: null, hot: null, cursor: null, draft: null, quote: null, narrow: innerWidth < NARROW, dimmed: false, startsHere: false };
    this.plot = new ChartPlot(this);
    this.reading = new ChartReading(this);
    this.walk = new ChartWalk(this);
    this.labels = new ChartLabels(this);
  }

  get series() {
    return this.reading.series;
  }

  get stock() {
    return this.reading.answer?.stock ?? null;
  }

  /** Where candles of the stock are collected; one beside KRX can be chosen. @returns {string[]} */
  get venues() {
    return this.reading.answer?.venues ?? [this.venue];
  }

  /** Whether the chart is of KRX: what was found, labels, quotes and live candles are of KRX alone. */
  get isKrx() {
    return this.venue === 'KRX';
  }

  // ---- putting it on the page

  /** @param {HTMLElement} main */
  mount(main) {
    main.className = 'v-chart';
    this.rail = h('aside', { class: 'rail', 'aria-label': t('view.watch') });
    this.stage = h('section', { class: 'stage', 'aria-label': t('chart') });
    this.side = h('aside', { class: 'side', 'aria-label': t('side.structure') });
    this.tablebox = h('div', { class: 'tablebox', tabIndex: 0 });
    this.head = h('div', { class: 'headbox' });
    this.asOf = asOfBar(this);
    fill(this.stage, this.head, this.plot.box, this.asOf.box);
    fill(main, this.rail, this.stage, this.side);
    this.labels.wire();
    this.context.watchRail(this.rail, this.symbol);
    this.reading.load();
    this.reading.loadNotes();
  }

  destroy() {
    this.gone = true;
    this.reading.stop();
    this.plot.remove();
  }

  /** The first answer is there. */
  start() {
    if (this.day) {
      const place = placeOf(this.series.rows, Date.parse(`${this.day}T23:59:59+09:00`) / 1000);
      if (place >= 0 && place < this.series.rows.length - 1) this.untilTs = this.series.rows[place].ts;
      this.day = null;
    }
    this.refresh();
    this.reading.countSoon();
  }

  showLoading() {
    this.drawHead();
    this.plot.replaceBy(h('div', { class: 'canvas skeleton', 'aria-busy': 'true' }, h('p', {}, t('loading'))));
  }

  /** @param {any} problem */
  fail(problem) {
    this.drawHead();
    if (this.series) {
      toast(t('error.title'));
      return;
    }
    this.plot.replaceBy(h('div', { class: 'broken' }, errorBox(problem, () => {
      this.plot.restore();
      this.reading.load();
    })));
  }

  /** Draw again what was drawn: theme, language, palette or width has changed. */
  redraw() {
    this.scene.narrow = innerWidth < NARROW;
    const range = this.plot.chart?.range();
    this.plot.remove();
    this.context.watchRail(this.rail, this.symbol);
    this.side.setAttribute('aria-label', t('side.structure'));
    if (this.series) this.refresh();
    if (range) this.plot.chart?.chart.timeScale().setVisibleLogicalRange(range);
    if (this.labels.drawing) this.labels.drawForm();
  }

  // ---- drawing

  /** Compute what is known and draw all of it. @param {number} [added] rows put on the left */
  refresh(added = 0) {
    const { series, scene } = this;
    const place = this.untilTs === null ? null : placeOf(series.rows, this.untilTs);
    Object.assign(scene, { rows: series.rows, known: knownAt(series, place), layers: settings.layers, timeframe: this.timeframe, startsHere: series.startsHere, dimmed: this.isAway() });
    scene.quote = this.quoteInView();
    this.stage.classList.toggle('past', scene.known.past);
    this.stage.classList.toggle('drawing', Boolean(this.labels.drawing));
    this.drawHead();
    this.drawPlot(added);
    drawAsOf(this.asOf);
    this.drawSide();
    this.context.tellSeries(this);
  }

  /** Older candles came: places count from the oldest row and move with them. @param {number} by */
  tookOlder(by) {
    const { scene, plot, labels } = this;
    const move = (place) => (place === null ? null : place + by);
    const { draft } = scene;
    Object.assign(scene, { hot: move(scene.hot), cursor: move(scene.cursor), draft: draft ? { from: draft.from + by, to: draft.to + by } : null });
    plot.hover = move(plot.hover);
    if (labels.drawing) labels.drawing.anchor = move(labels.drawing.anchor);
    this.refresh(by);
  }

  /** The newest candle changed. @param {boolean} appended whether it is another one than before */
  tookLive(appended) {
    if (this.untilTs !== null || this.table) {
      if (appended || this.table) this.refresh();
      return;
    }
    this.scene.rows = this.series.rows;
    this.scene.known = knownAt(this.series, null);
    this.plot.chart?.update();
    this.tookPrice();
    if (!appended) return;
    drawAsOf(this.asOf);
    this.drawSide();
  }

  /** The latest price changed, or grew older. */
  tookPrice() {
    if (this.untilTs !== null || !this.head.querySelector('.price')) return;
    this.scene.quote = this.quoteInView();
    this.plot.chart?.markNow();
    fill(this.head.querySelector('.price'), priceOf(this));
    this.plot.draw();
  }

  /** The latest price where no candle holds it yet; none of a past view. */
  quoteInView() {
    const { known, rows } = this.scene;
    if (!known || known.past) return null;
    const row = candleAt(rows, known.last);
    return row?.quoted ? this.reading.quote : newerThan(this.reading.quote, row);
  }

  drawHead() {
    refill(this.head, headOf(this));
    document.title = `${this.title()} ${t(`tf.${this.timeframe}`)} · ${t('app.name')}`;
  }

  /** @param {number} [added] */
  drawPlot(added = 0) {
    const box = this.table ? this.tablebox : this.plot.box;
    if (!box.isConnected) this.stage.replaceChild(box, this.table ? this.plot.box : this.tablebox);
    if (this.table) refill(this.tablebox, candleTable(this));
    else this.plot.show(t('chart.aria', { s: this.title(), t: t(`tf.${this.timeframe}`) }), added);
  }

  drawSide() {
    if (this.scene.known) refill(this.side, sidePanel(this));
  }

  // ---- words that the parts share

  name() {
    return this.stock?.name || this.symbol;
  }

  /** The stock, and the venue where it is not KRX. */
  title() {
    return this.isKrx ? this.name() : `${this.name()} ${t(`venue.${this.venue}`)}`;
  }

  year() {
    const { rows, known } = this.scene;
    return rows.length ? yearOf(rows[known.last].ts) : 0;
  }

  /** @param {number} ts */
  short(ts) {
    return shortTime(ts, this.timeframe, this.year());
  }

  /** @param {any} point */
  confirmed(point) {
    return t('pt.confirmed', { d: this.short(this.scene.rows[point.known].ts), n: point.lag });
  }

  /** @param {number} instant */
  placeClosedAt(instant) {
    return placeClosedAt(this.scene.rows, instant);
  }

  daily() {
    return this.timeframe === '1d' || this.timeframe === '1w';
  }

  isAway() {
    const { state } = this.context.connection;
    return state === 'away' || state === 'ended';
  }

  // ---- what the person switches

  /** @param {string} timeframe @param {boolean} [focus] keep the focus on the chosen one */
  setTimeframe(timeframe, focus = false) {
    if (timeframe !== this.timeframe) this.context.go({ view: 'chart', symbol: this.symbol, timeframe, venue: this.venue }, focus ? `tf-${timeframe}` : null);
  }

  async toggleStar() {
    try {
      toast(t(await this.context.toggleWatch(this.symbol) ? 'watch.added' : 'watch.gone'));
    } catch (problem) {
      toast(`${t('error.title')} ${/** @type {any} */ (problem).message}`);
    }
    this.drawHead();
    this.context.watchRail(this.rail, this.symbol);
  }

  toggleAdjusted() {
    changeSettings({ adjusted: !settings.adjusted });
    this.reading.anew();
    this.drawHead();
  }

  /** Show the candles of another venue; the moment one looks at stays. @param {string} venue */
  setVenue(venue) {
    if (venue === this.venue) return;
    if (this.labels.drawing) this.labels.end();
    this.venue = venue;
    this.context.follow({ venue });
    Object.assign(this.scene, { chosen: null, hot: null, cursor: null });
    this.plot.hover = null;
    this.reading.anew();
    this.drawHead();
    say(t('venue.now', { v: t(`venue.${venue}`) }));
  }

  /** The next venue at which the stock is collected. */
  nextVenue() {
    const held = VENUES.filter((one) => this.venues.includes(one));
    if (held.length < 2) toast(t('venue.none'));
    else this.setVenue(held[(held.indexOf(this.venue) + 1) % held.length]);
  }

  /** @param {string} name */
  toggleLayer(name) {
    changeSettings({ layers: { ...settings.layers, [name]: !settings.layers[name] } });
    this.scene.layers = settings.layers;
    this.drawHead();
    if (name === 'rsi') this.redraw();
    else this.plot.showLayer(name);
  }

  toggleTable() {
    this.table = !this.table;
    if (this.table && this.labels.drawing) this.labels.end();
    if (this.table) this.plot.remove();
    if (this.series) this.refresh();
    (this.table ? this.tablebox : this.plot.canvas).focus();
  }

  /** @param {number} count */
  moreRows(count) {
    this.tableRows += count;
    if (this.tableRows > this.series.rows.length && this.series.cursor) this.reading.loadOlder();
    else this.drawPlot();
  }

  // ---- the daemon's word

  /** Read the newest candles again; answers how many came. */
  reread() {
    return this.reading.reread();
  }

  /** @param {string} type @param {any} data */
  onEvent(type, data) {
    this.reading.onEvent(type, data);
  }

  /** The line to the daemon broke or came back. */
  onConnection() {
    this.scene.dimmed = this.isAway();
    this.plot.chart?.draw();
    const price = this.head?.querySelector('.price');
    if (price) fill(price, priceOf(this));
  }

  // ---- keys

  /** @param {{name: string, value?: any}} command @returns {boolean} whether the key was used */
  command({ name, value }) {
    const { walk, labels } = this;
    if (name === 'timeframe') this.setTimeframe(TIMEFRAMES[value]);
    else if (name === 'venue' && this.reading.answer) this.nextVenue();
    else if (!this.scene.known) return false;
    else if (name === 'candle') walk.stepCandle(value);
    else if (name === 'zoom') this.plot.chart?.zoom(value);
    else if (name === 'point') walk.stepPoint(value);
    else if (name === 'pattern') walk.stepPattern(value);
    else if (name === 'asOf') walk.stepAsOf(value);
    else if (name === 'event') walk.stepEvent(value);
    else if (name === 'draw') labels.toggle();
    else if (name === 'table') this.toggleTable();
    else if (name === 'watch') this.toggleStar();
    else if (name === 'adjusted') this.toggleAdjusted();
    else if (name === 'verdict') return this.judgeChosen(value);
    else if (name === 'leave') this.leave();
    else if (name === 'enter' && labels.drawing && !labels.drawing.form) labels.markEnd();
    else return false;
    return true;
  }

  /** @param {'agree' | 'disagree'} way */
  judgeChosen(way) {
    const pattern = this.scene.known.patterns.find((p) => p.id === this.scene.chosen);
    if (pattern) this.labels.judge(pattern, way);
    return Boolean(pattern);
  }

  /** Escape: out of drawing, else back to now, else nothing chosen. */
  leave() {
    if (this.labels.drawing) {
      this.labels.end();
      this.plot.canvas.focus();
    } else if (this.untilTs !== null) this.walk.setAsOf(null);
    else this.walk.clear();
  }
}
