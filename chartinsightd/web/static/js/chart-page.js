/**
 * The chart view: one stock in one timeframe, as known at one candle.
 * @module
 */
import { get } from './api.js';
import { asOfBar, drawAsOf } from './asof-bar.js';
import { Chart } from './chart.js';
import { headOf, legendOf, priceOf } from './chart-head.js';
import { ChartLabels } from './chart-labels.js';
import { candleTable } from './candle-table.js';
import { fill, h } from './dom.js';
import { errorBox, refill, say, toast } from './frame.js';
import { eventsOf, knownAt, placeClosedAt } from './known.js';
import { big, changeOf, fullTime, percent, shortTime, won, yearOf } from './numbers.js';
import { TIMEFRAMES } from './route.js';
import { candleAt, placeOf, seriesOf, withLive, withNewest, withOlder } from './series.js';
import { changeSettings, settings } from './settings.js';
import { sidePanel } from './side-panel.js';
import { t } from './words.js';

/** Candles of the first page and of each older one. */
const PAGE = 500;
const OLDER_PAGE = 1000;
/** After a word that something changed, the answer is read again once in this time. */
const REREAD_MS = 1500;
const LOADING_AFTER_MS = 200;
/** A new final candle is read out at most this often. */
const SAY_MS = 10_000;
/** A click this near to a marker is meant for it. */
const NEAR_PIXELS = 14;
/** Below this width the page is a phone's. */
const NARROW = 768;

export class ChartPage {
  /** @param {any} context @param {{symbol: string, timeframe: string, day: string | null}} route */
  constructor(context, route) {
    this.context = context;
    this.symbol = route.symbol;
    this.timeframe = route.timeframe;
    this.day = route.day;
    /** @type {any} */ this.answer = null;
    /** @type {any} */ this.stock = null;
    /** @type {import('./series.js').Series | null} */ this.series = null;
    /** Start of the candle at whose close one looks; null: now. @type {number | null} */
    this.untilTs = null;
    this.table = false;
    this.tableRows = 100;
    this.labels = new ChartLabels(this);
    this.hover = /** @type {number | null} */ (null);
    this.statistics = /** @type {any[] | null} */ (null);
    this.statisticsProblem = null;
    this.notes = null;
    this.notesProblem = null;
    this.older = false;
    this.saidAt = 0;
    this.gone = false;
    /** @type {any} */
    this.scene = { rows: [], known: null, layers: settings.layers, timeframe: this.timeframe, chosen: null, hot: null, cursor: null, draft: null, narrow: innerWidth < NARROW, dimmed: false, startsHere: false };
  }

  // ---- putting it on the page

  /** @param {HTMLElement} main */
  mount(main) {
    this.main = main;
    main.className = 'v-chart';
    this.rail = h('aside', { class: 'rail', 'aria-label': t('view.watch') });
    this.stage = h('section', { class: 'stage', 'aria-label': t('chart') });
    this.side = h('aside', { class: 'side', 'aria-label': t('side.structure') });
    this.canvas = h('div', { class: 'canvas', tabIndex: 0, role: 'group' });
    this.legend = h('div', { class: 'legend' });
    this.titles = h('div', { class: 'panetitles' });
    this.hidden = h('div', { class: 'later' });
    this.drawbox = h('div', { class: 'drawbox' });
    this.olderNote = h('div', { class: 'oldernote', role: 'status' });
    this.plot = h('div', { class: 'plot' }, this.canvas, this.legend, this.titles, this.hidden, this.olderNote, this.drawbox);
    this.tablebox = h('div', { class: 'tablebox', tabIndex: 0 });
    this.head = h('div', { class: 'headbox' });
    this.asOf = asOfBar(this);
    fill(this.stage, this.head, this.plot, this.asOf.box);
    fill(main, this.rail, this.stage, this.side);
    this.labels.wire();
    this.context.watchRail(this.rail, this.symbol);
    this.load();
    this.loadNotes();
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.timer);
    this.chart?.destroy();
  }

  /** Draw again what was drawn: theme, language, palette or width has changed. */
  redraw() {
    this.scene.narrow = innerWidth < NARROW;
    const range = this.chart?.range();
    this.chart?.destroy();
    this.chart = null;
    this.context.watchRail(this.rail, this.symbol);
    this.side.setAttribute('aria-label', t('side.structure'));
    if (this.series) this.refresh();
    if (range && this.chart) this.chart.chart.timeScale().setVisibleLogicalRange(range);
    if (this.labels.drawing) this.labels.drawForm();
  }

  // ---- reading

  async load() {
    const slow = setTimeout(() => this.showLoading(), LOADING_AFTER_MS);
    try {
      const answer = await this.read(null, PAGE);
      if (this.gone) return;
      this.take(answer);
      this.start();
    } catch (problem) {
      if (!this.gone) this.fail(problem);
    } finally {
      clearTimeout(slow);
    }
  }

  /** @param {string | null} cursor @param {number} limit */
  read(cursor, limit) {
    return get(`radar/${this.symbol}`, { timeframe: this.timeframe, adjusted: settings.adjusted, final: cursor ? null : false, limit, cursor });
  }

  /** @param {any} answer */
  take(answer) {
    this.answer = answer;
    this.stock = answer.stock;
    const fresh = seriesOf(answer);
    this.series = this.series ? withNewest(this.series, fresh) : fresh;
  }

  start() {
    if (this.day) {
      const place = placeOf(this.series.rows, Date.parse(`${this.day}T23:59:59+09:00`) / 1000);
      if (place >= 0 && place < this.series.rows.length - 1) this.untilTs = this.series.rows[place].ts;
      this.day = null;
    }
    this.refresh();
    this.loadStatistics();
  }

  showLoading() {
    if (this.series || this.gone) return;
    this.drawHead();
    fill(this.plot, h('div', { class: 'canvas skeleton', 'aria-busy': 'true' }, h('p', {}, t('loading'))));
  }

  /** @param {any} problem */
  fail(problem) {
    const box = errorBox(problem, () => {
      fill(this.plot, this.canvas, this.legend, this.titles, this.hidden, this.olderNote, this.drawbox);
      this.load();
    });
    this.drawHead();
    if (this.series) toast(t('error.title'));
    else fill(this.plot, h('div', { class: 'broken' }, box));
  }

  /** Read the newest page again, soon: several words of a change are one reading. */
  rereadSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.reread(), REREAD_MS);
  }

  async reread() {
    const before = this.series?.rows.length ?? 0;
    try {
      const answer = await this.read(null, PAGE);
      if (this.gone) return 0;
      this.take(answer);
      if (before) this.refresh();
      else this.start();
      return this.series.rows.length - before;
    } catch (problem) {
      if (!this.gone && /** @type {any} */ (problem).status) this.fail(problem);
      return 0;
    }
  }

  async loadOlder() {
    if (this.older || !this.series?.cursor) return;
    this.older = true;
    this.olderNote.textContent = t('loading.older');
    try {
      const older = seriesOf(await this.read(this.series.cursor, OLDER_PAGE));
      if (this.gone) return;
      const before = this.series.rows.length;
      this.series = withOlder(this.series, older);
      const added = this.series.rows.length - before;
      this.moveMarks(added);
      this.refresh(added);
      fill(this.olderNote);
    } catch (problem) {
      if (!this.gone) fill(this.olderNote, errorBox(problem, () => { fill(this.olderNote); this.loadOlder(); }));
    } finally {
      this.older = false;
    }
  }

  /** Places count from the oldest row: older rows move them. @param {number} by */
  moveMarks(by) {
    const move = (place) => (place === null ? null : place + by);
    const { draft } = this.scene;
    Object.assign(this.scene, { hot: move(this.scene.hot), cursor: move(this.scene.cursor), draft: draft ? { from: draft.from + by, to: draft.to + by } : null });
    this.hover = move(this.hover);
    if (this.labels.drawing) this.labels.drawing.anchor = move(this.labels.drawing.anchor);
  }

  async loadNotes() {
    try {
      this.notes = (await get('notes', { symbol: this.symbol, limit: 20 })).items;
      this.notesProblem = null;
    } catch (problem) {
      this.notesProblem = problem;
    }
    if (!this.gone && this.series) this.drawSide();
  }

  /** Statistics are those of today: a page that is taken back shows none, since it would show cases of later. */
  async loadStatistics() {
    try {
      this.statistics = (await get('statistics/patterns', { timeframe: this.timeframe })).items;
      this.statisticsProblem = null;
    } catch (problem) {
      this.statisticsProblem = problem;
    }
    if (!this.gone && this.series) this.drawSide();
  }

  // ---- drawing

  /** Compute what is known and draw all of it. @param {number} [added] rows put on the left */
  refresh(added = 0) {
    const { series, scene } = this;
    const place = this.untilTs === null ? null : placeOf(series.rows, this.untilTs);
    const { connection } = this.context;
    Object.assign(scene, { rows: series.rows, known: knownAt(series, place), layers: settings.layers, timeframe: this.timeframe, startsHere: series.startsHere });
    scene.dimmed = connection.state === 'away' || connection.state === 'ended';
    this.stage.classList.toggle('past', scene.known.past);
    this.stage.classList.toggle('drawing', Boolean(this.labels.drawing));
    this.drawHead();
    this.drawPlot(added);
    drawAsOf(this.asOf);
    this.drawSide();
    this.context.tellSeries(this);
  }

  drawHead() {
    refill(this.head, headOf(this));
    document.title = `${this.stock?.name ?? this.symbol} ${t(`tf.${this.timeframe}`)} · ${t('app.name')}`;
  }

  /** @param {number} [added] */
  drawPlot(added = 0) {
    const box = this.table ? this.tablebox : this.plot;
    if (!box.isConnected) this.stage.replaceChild(box, this.table ? this.plot : this.tablebox);
    if (this.table) {
      refill(this.tablebox, candleTable(this));
      return;
    }
    if (!this.canvas.isConnected) fill(this.plot, this.canvas, this.legend, this.titles, this.hidden, this.olderNote, this.drawbox);
    this.canvas.setAttribute('aria-label', t('chart.aria', { s: this.stock?.name ?? this.symbol, t: t(`tf.${this.timeframe}`) }));
    const fresh = !this.chart;
    if (fresh) this.makeChart();
    this.chart.load(added);
    if (fresh) this.chart.showNewest(this.candlesInSight());
    this.chart.draw();
    this.settle();
  }

  makeChart() {
    this.chart = new Chart(this.canvas, this.scene, {
      hover: (place) => this.setHover(place),
      pick: (at) => this.pickAt(at),
      reachedStart: () => this.loadOlder(),
      moved: () => this.scene.known?.past && this.settle(),
      fault: (error) => toast(`${t('error.title')}: ${error.message}`),
    });
    this.canvas.chart = this.chart; // for the tests, which look at what the last frame showed
    for (const child of this.canvas.children) child.setAttribute('aria-hidden', 'true');
    this.chart.lock(Boolean(this.labels.drawing));
  }

  /** The picture moved or has its size now: what stands beside it follows with the next frame. */
  settle() {
    if (this.settling) return;
    this.settling = true;
    requestAnimationFrame(() => {
      this.settling = false;
      if (!this.chart || this.gone) return;
      this.drawLegend();
      this.drawLater();
    });
  }

  candlesInSight() {
    return this.scene.narrow ? 62 : Math.max(110, Math.min(300, Math.round(this.stage.clientWidth / 5.6)));
  }

  drawLegend() {
    fill(this.legend, legendOf(this));
    const { rows, known } = this.scene;
    const place = Math.min(this.hover ?? this.scene.cursor ?? known.last, known.last);
    const row = rows[place];
    const strength = this.chart.strengths?.[place];
    this.drawTitles(row && !row.gap ? big(row.volume) : '–', strength === null || strength === undefined ? '–' : strength.toFixed(1));
  }

  /** Titles of the panes below the price. @param {string} volume @param {string} strength */
  drawTitles(volume, strength) {
    const tops = this.chart.paneTops();
    const texts = [`${t('pane.volume')} ${volume}`, `${t('pane.rsi')} ${strength}`];
    fill(this.titles, texts.slice(0, tops.length - 1).map((text, i) => {
      const title = h('span', {}, text);
      title.style.top = `${tops[i + 1] + 4}px`; // by CSSOM, which the policy allows
      return title;
    }));
  }

  /** What is hidden to the right of the candle in view. */
  drawLater() {
    const { known, rows } = this.scene;
    if (!known?.past || !this.chart) {
      fill(this.hidden);
      return;
    }
    const left = (this.chart.xOf(known.last) ?? 0) + 20;
    const width = this.canvas.clientWidth - 80 - left;
    this.hidden.style.left = `${left}px`;
    this.hidden.style.width = `${Math.max(0, width)}px`;
    const later = rows.length - 1 - known.last;
    fill(this.hidden, width < 60 ? null : [h('p', {}, t(width < 150 ? 'asof.hidden.s' : 'asof.hidden', { n: later })),
      known.hiddenLabels && width >= 150 ? h('p', {}, t('asof.hidlab', { n: known.hiddenLabels })) : null]);
  }

  drawSide() {
    if (this.scene.known) refill(this.side, sidePanel(this));
  }

  // ---- words that the parts share

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

  // ---- what the person does

  /** @param {number | null} place */
  setHover(place) {
    this.hover = place;
    const { known } = this.scene;
    const point = place === null ? null : known?.points.find((p) => p.at === place);
    const hot = point ? point.at : null;
    if (hot !== this.scene.hot) {
      this.scene.hot = hot;
      this.chart?.draw();
    }
    if (known) this.drawLegend();
  }

  /** A click on a point shows its confirmation, on a pattern chooses it. @param {{x: number, y: number, place: number}} at */
  pickAt({ x, y, place }) {
    if (this.labels.drawing) return;
    const point = this.chart.drawn.find((mark) => mark.what === 'point' && Math.hypot(mark.x - x, mark.y - y) < NEAR_PIXELS);
    if (point) {
      this.showPoint(point.point);
      return;
    }
    const price = this.chart.candles.coordinateToPrice(y);
    const under = this.scene.known.patterns.filter((p) => {
      const prices = p.points.map((q) => q.y);
      return p.points[0].at <= place && p.known >= place && price >= Math.min(...prices) && price <= Math.max(...prices);
    });
    this.choose(under.at(-1)?.id ?? null);
  }

  /** @param {any} point */
  showPoint(point) {
    this.scene.hot = point.at;
    this.hover = point.at;
    this.chart?.reveal(point.at);
    this.chart?.draw();
    if (!this.table) this.drawLegend();
    const word = point.known === undefined ? `pt.cand.${point.kind}` : `pt.${point.grade}.${point.kind}`;
    say(point.known === undefined ? `${t(word)} ${won(point.y)} · ${t('pt.open')}` : t('live.point', { k: t(word), p: won(point.y), d: this.short(this.scene.rows[point.known].ts) }));
  }

  /** @param {string | null} id */
  choose(id) {
    this.scene.chosen = id;
    const pattern = this.scene.known.patterns.find((p) => p.id === id);
    if (pattern) this.chart?.reveal(pattern.points[0].at);
    this.chart?.draw();
    this.drawSide();
  }

  /** @param {string} timeframe @param {boolean} [focus] keep the focus on the chosen one */
  setTimeframe(timeframe, focus = false) {
    if (timeframe !== this.timeframe) this.context.go({ view: 'chart', symbol: this.symbol, timeframe }, focus ? `tf-${timeframe}` : null);
  }

  toggleStar() {
    const starred = this.context.toggleWatch(this.symbol);
    toast(t(starred ? 'watch.add' : 'watch.del'));
    this.drawHead();
    this.context.watchRail(this.rail, this.symbol);
  }

  toggleAdjusted() {
    changeSettings({ adjusted: !settings.adjusted });
    this.series = null;
    this.drawHead();
    this.load();
  }

  /** @param {string} name */
  toggleLayer(name) {
    changeSettings({ layers: { ...settings.layers, [name]: !settings.layers[name] } });
    this.scene.layers = settings.layers;
    this.drawHead();
    if (name === 'rsi') this.redraw();
    else {
      this.chart?.averages.forEach((line, i) => line.applyOptions({ visible: settings.layers[['ma20', 'ma60'][i]] }));
      this.chart?.draw();
    }
    if (this.scene.known && this.chart) this.drawLegend();
  }

  toggleTable() {
    this.table = !this.table;
    if (this.table && this.labels.drawing) this.labels.end();
    if (this.table) {
      this.chart?.destroy();
      this.chart = null;
    }
    if (this.series) this.refresh();
    (this.table ? this.tablebox : this.canvas).focus();
  }

  /** @param {number} count */
  moreRows(count) {
    this.tableRows += count;
    if (this.tableRows > this.series.rows.length && this.series.cursor) this.loadOlder();
    else this.drawPlot();
  }

  // ---- as of

  /** @param {number | null} place */
  setAsOf(place) {
    const { rows } = this.series;
    const now = place === null || place >= rows.length - 1;
    const untilTs = now ? null : rows[Math.max(0, place)].ts;
    if (untilTs === this.untilTs) return;
    this.untilTs = untilTs;
    Object.assign(this.scene, { hot: null, cursor: null });
    this.hover = null;
    this.refresh();
    this.chart?.reveal(this.scene.known.last);
    say(untilTs === null ? t('asof.now') : t('asof.on', { d: fullTime(untilTs, this.timeframe) }));
  }

  /** @param {number} place */
  slideTo(place) {
    this.setAsOf(place);
    if (place < 20) this.loadOlder();
  }

  /** @param {number} step */
  stepAsOf(step) {
    if (step < 0 && this.scene.known.last < 20) this.loadOlder();
    this.setAsOf(Math.max(0, this.scene.known.last + step));
  }

  /** @param {number} step */
  stepEvent(step) {
    const { last } = this.scene.known;
    const places = [...new Set(eventsOf(this.series, knownAt(this.series, null)).map((event) => event.at))].sort((a, b) => a - b);
    const next = step < 0 ? places.filter((place) => place < last).at(-1) : places.find((place) => place > last);
    if (next !== undefined) this.setAsOf(next);
    else if (step > 0) this.setAsOf(null);
  }

  // ---- walking by key

  /** @param {number} step */
  stepCandle(step) {
    const { known } = this.scene;
    const from = this.scene.cursor ?? known.last - (step < 0 ? -1 : 0);
    this.scene.cursor = Math.max(0, Math.min(known.last, from + step));
    this.hover = null;
    this.scene.hot = null;
    const draft = this.labels.drawing?.anchor;
    if (draft !== null && draft !== undefined) this.labels.setDraft(draft, this.scene.cursor);
    this.chart?.reveal(this.scene.cursor);
    this.chart?.draw();
    if (this.chart) this.drawLegend();
    if (this.scene.cursor < 20) this.loadOlder();
    say(this.spoken(this.scene.cursor));
  }

  /** @param {number} place */
  spoken(place) {
    const { rows } = this.scene;
    const row = rows[place];
    const day = fullTime(row.ts, this.timeframe);
    if (row.gap) return t('candle.gap') + ` ${day}`;
    const before = candleAt(rows, place - 1);
    const state = t(row.final ? 'candle.final' : 'candle.forming');
    return t('live.candle', { d: day, c: won(row.close), p: percent(changeOf(before?.close ?? row.open, row.close)), s: state });
  }

  /** @param {number} step */
  stepPoint(step) {
    const { known } = this.scene;
    const from = this.scene.hot ?? (step < 0 ? known.last + 1 : -1);
    const points = known.points.filter((p) => settings.layers.secondary || p.grade === 'primary');
    const next = step < 0 ? points.filter((p) => p.at < from).at(-1) : points.find((p) => p.at > from);
    if (next) this.showPoint(next);
  }

  /** @param {number} step */
  stepPattern(step) {
    const ids = this.scene.known.patterns.map((p) => p.id);
    const at = ids.indexOf(this.scene.chosen);
    const next = at < 0 ? (step < 0 ? ids.length - 1 : 0) : Math.max(0, Math.min(ids.length - 1, at + step));
    if (!ids.length) return;
    this.choose(ids[next]);
    const pattern = this.scene.known.patterns[next];
    say(`${t(`pat.${pattern.kind}`)} · ${t(`st.${pattern.state}`)} · ${this.short(pattern.points[0].ts)} – ${this.short(this.scene.rows[pattern.known].ts)}`);
  }

  // ---- the stream

  /** @param {any} data */
  onCandle(data) {
    if (data.symbol !== this.symbol || data.timeframe !== this.timeframe || !this.series) return;
    const rows = withLive(this.series.rows, data.candle);
    if (!rows) {
      this.rereadSoon();
      return;
    }
    const appended = rows.length - this.series.rows.length;
    const becameFinal = data.candle.final && !this.series.rows.at(-1)?.final;
    this.series = { ...this.series, rows };
    if (becameFinal) this.rereadSoon();
    if (this.untilTs !== null || this.table) {
      if (appended || this.table) this.refresh();
      return;
    }
    this.scene.rows = rows;
    this.scene.known = knownAt(this.series, null);
    this.chart?.update();
    fill(this.head.querySelector('.price'), priceOf(this));
    if (this.chart) this.drawLegend();
    if (appended) drawAsOf(this.asOf);
    if (data.candle.final) this.sayFinal();
  }

  sayFinal() {
    if (performance.now() - this.saidAt < SAY_MS) return;
    this.saidAt = performance.now();
    say(this.spoken(this.scene.rows.length - 1));
  }

  /** @param {string} type @param {any} data */
  onEvent(type, data) {
    if (type === 'candle') this.onCandle(data);
    else if (type === 'note') this.loadNotes();
    else if (type === 'reset' || (data?.symbol === this.symbol && (type === 'label' || data.timeframe === this.timeframe))) this.rereadSoon();
  }

  /** The line to the daemon broke or came back. */
  onConnection() {
    const { state } = this.context.connection;
    this.scene.dimmed = state === 'away' || state === 'ended';
    this.chart?.draw();
    const price = this.head?.querySelector('.price');
    if (price) fill(price, priceOf(this));
  }

  // ---- keys

  /** @param {{name: string, value?: any}} command @returns {boolean} whether the key was used */
  command({ name, value }) {
    if (name === 'timeframe') this.setTimeframe(TIMEFRAMES[value]);
    else if (!this.scene.known) return false;
    else if (name === 'candle') this.stepCandle(value);
    else if (name === 'zoom') this.chart?.zoom(value);
    else if (name === 'point') this.stepPoint(value);
    else if (name === 'pattern') this.stepPattern(value);
    else if (name === 'asOf') this.stepAsOf(value);
    else if (name === 'event') this.stepEvent(value);
    else if (name === 'draw') this.labels.toggle();
    else if (name === 'table') this.toggleTable();
    else if (name === 'watch') this.toggleStar();
    else if (name === 'adjusted') this.toggleAdjusted();
    else if (name === 'verdict') return this.judgeChosen(value);
    else if (name === 'leave') return this.leave();
    else if (name === 'enter' && this.labels.drawing && !this.labels.drawing.form) this.labels.markEnd();
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
      this.canvas.focus();
    } else if (this.untilTs !== null) this.setAsOf(null);
    else {
      Object.assign(this.scene, { chosen: null, hot: null, cursor: null });
      this.hover = null;
      this.chart?.draw();
      if (this.chart) this.drawLegend();
      this.drawSide();
    }
    return true;
  }
}
