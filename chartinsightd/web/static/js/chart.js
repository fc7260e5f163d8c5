/**
 * The chart: lightweight-charts draws candles, panes, axes and crosshair, one primitive draws the rest (overlay.js).
 * @module
 */
import {
  CandlestickSeries, createChart, CrosshairMode, HistogramSeries, LineSeries, LineStyle,
} from '../vendor/lightweight-charts.standalone.production.mjs';
import { token } from './dom.js';
import { movingAverage, relativeStrength } from './indicators.js';
import { axisMark, big, fullTime, KST_OFFSET, won } from './numbers.js';
import { drawAbove, drawBelow } from './overlay.js';
import { candleAt, closeBefore } from './series.js';

/** @typedef {import('./overlay.js').Scene} Scene */

/** Free above the candles for the legend, below for the ribbon, in pixels. */
const FREE = { above: 88, aboveNarrow: 80, below: 62 };
const AVERAGES = /** @type {[string, number][]} */ ([['ma20', 20], ['ma60', 60]]);
const QUIET = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };
/** A slider that moved by no more candles than this changes them one by one; further, all are set again. */
const NEAR = 40;
/** Figures of the axis within this many pixels of the last price are left out. */
const LABEL_ROOM = 15;

export class Chart {
  /**
   * @param {HTMLElement} host
   * @param {Scene} scene shared with the page, which changes it and calls `draw` or `load`
   * @param {{hover: (place: number | null) => void, pick: (at: {x: number, y: number, place: number}) => void, reachedStart: () => void, moved: () => void, fault: (error: Error) => void}} tell
   */
  constructor(host, scene, tell) {
    this.host = host;
    this.scene = scene;
    this.tell = tell;
    /** What the last frame showed. @type {any[]} */
    this.drawn = [];
    this.faulty = false;
    this.lastPrice = 0;
    /** What the chart was given last: the rows, and the place of the last one shown. @type {{rows: any[], last: number} | null} */
    this.given = null;
    this.chart = createChart(host, chartOptions(scene));
    this.candles = this.chart.addSeries(CandlestickSeries, this.candleOptions());
    this.averages = AVERAGES.map(([name]) => this.chart.addSeries(LineSeries, { ...QUIET, color: token(`--${name}`), lineWidth: 1, visible: scene.layers[name] }));
    this.volume = this.chart.addSeries(HistogramSeries, { ...QUIET, priceFormat: quietFormat((v) => (scene.narrow ? '' : big(v))) }, 1);
    this.volume.priceScale().applyOptions({ scaleMargins: { top: 0.26, bottom: 0 } });
    this.strength = scene.layers.rsi ? this.addStrength() : null;
    this.nowLine = this.candles.createPriceLine({ price: 0, lineWidth: 1, lineStyle: LineStyle.Dotted, axisLabelVisible: true, axisLabelTextColor: token('--bg') });
    this.candles.attachPrimitive(this.primitive());
    this.sizePanes();
    this.listen();
  }

  candleOptions() {
    const up = token('--up');
    const down = token('--down');
    const hollow = document.documentElement.dataset.palette === 'safe';
    return {
      upColor: hollow ? 'transparent' : up, downColor: down, borderUpColor: up, borderDownColor: down, wickUpColor: up, wickDownColor: down,
      priceLineVisible: false, lastValueVisible: false,
      priceFormat: { type: 'custom', formatter: won, minMove: 1, tickmarksFormatter: (prices) => this.axisFigures(prices) },
    };
  }

  /** @param {number[]} prices */
  axisFigures(prices) {
    const at = this.candles.priceToCoordinate(this.lastPrice);
    return prices.map((price) => (at !== null && Math.abs(this.candles.priceToCoordinate(price) - at) < LABEL_ROOM ? '' : won(price)));
  }

  addStrength() {
    const series = this.chart.addSeries(LineSeries, {
      ...QUIET, color: token('--ink-2'), lineWidth: 1, priceFormat: quietFormat((v) => (this.scene.narrow ? '' : String(Math.round(v)))),
      autoscaleInfoProvider: () => ({ priceRange: { minValue: 12, maxValue: 92 } }),
    }, 2);
    series.priceScale().applyOptions({ scaleMargins: { top: 0.22, bottom: 0.06 } });
    for (const price of [30, 70]) series.createPriceLine({ price, color: token('--line-strong'), lineWidth: 1, lineStyle: LineStyle.Dotted, axisLabelVisible: false });
    return series;
  }

  sizePanes() {
    const panes = this.chart.panes();
    const { narrow } = this.scene;
    panes[0].setStretchFactor(narrow ? 5.2 : 6);
    panes[1].setStretchFactor(1.15);
    panes[2]?.setStretchFactor(1);
    const height = Math.max(200, (this.host.clientHeight - 28) * (panes[2] ? 0.73 : 0.84));
    const above = narrow ? FREE.aboveNarrow : FREE.above;
    this.candles.priceScale().applyOptions({ scaleMargins: { top: Math.min(0.3, above / height), bottom: Math.min(0.25, FREE.below / height) } });
  }

  listen() {
    this.chart.subscribeCrosshairMove((event) => this.tell.hover(event.logical === undefined || !event.point ? null : this.inside(event.logical)));
    this.chart.subscribeClick((event) => {
      if (event.point && event.paneIndex === 0) this.tell.pick({ x: event.point.x, y: event.point.y, place: this.inside(event.logical) });
    });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && range.from < 20) this.tell.reachedStart();
      this.tell.moved();
    });
  }

  /** @param {number} logical */
  inside(logical) {
    return Math.max(0, Math.min(Math.round(logical), this.scene.rows.length - 1));
  }

  /**
   * Hand the candles that are known to the chart; later ones keep their place without a candle. The picture stays where it is.
   * @param {number} added rows put on the left since the last time
   */
  load(added = 0) {
    const { rows, known } = this.scene;
    const lines = this.lines();
    if (this.given?.rows === rows && Math.abs(this.given.last - known.last) <= NEAR) this.moveTo(lines);
    else this.setAll(lines, added);
    this.given = { rows, last: known.last };
    this.markNow();
  }

  /** Each series with what it shows at a place; a candle that is missing or of later keeps its place only. */
  lines() {
    const { rows, known } = this.scene;
    const seen = (i) => i <= known.last && !rows[i].gap;
    const time = (i) => rows[i].ts + KST_OFFSET;
    const closes = rows.map((row, i) => (seen(i) ? row.close : null));
    const values = [...AVERAGES.map(([, length]) => movingAverage(closes, length)), relativeStrength(closes, 14)];
    this.strengths = values.at(-1);
    const valueOf = (column) => (i) => (column[i] === null ? { time: time(i) } : { time: time(i), value: column[i] });
    return [
      { series: this.candles, at: (i) => (seen(i) ? candleOf(rows[i], time(i)) : { time: time(i) }) },
      { series: this.volume, at: (i) => (seen(i) ? volumeOf(rows[i], time(i)) : { time: time(i) }) },
      ...[...this.averages, this.strength].map((series, i) => ({ series, at: valueOf(values[i]) })),
    ].filter(({ series }) => series);
  }

  /** Hand over every candle. @param {any[]} lines @param {number} added */
  setAll(lines, added) {
    const { rows } = this.scene;
    const range = this.given ? this.range() : null;
    for (const { series, at } of lines) series.setData(rows.map((_, i) => at(i)));
    if (range) this.chart.timeScale().setVisibleLogicalRange({ from: range.from + added, to: range.to + added });
  }

  /** Hand over only the candles that the slider has passed. @param {any[]} lines */
  moveTo(lines) {
    const [from, to] = [this.given.last, this.scene.known.last].sort((a, b) => a - b);
    for (const { series, at } of lines) for (let i = from + 1; i <= to; i += 1) series.update(at(i), true);
  }

  /** Take in the newest candle alone. */
  update() {
    const { rows } = this.scene;
    const row = rows.at(-1);
    if (!row) return;
    const time = row.ts + KST_OFFSET;
    this.candles.update(candleOf(row, time));
    this.volume.update(volumeOf(row, time));
    this.markNow();
    this.draw();
  }

  markNow() {
    const { rows, known, timeframe, quote } = this.scene;
    const row = candleAt(rows, known.last);
    if (!row) return;
    const [price, before] = quote ? [quote.price, quote.base ?? row.close] : [row.close, closeBefore(rows, row, timeframe)];
    this.lastPrice = price;
    this.nowLine.applyOptions({ price, color: token(price >= before ? '--up' : '--down') });
  }

  /** Show the newest candles, this many. @param {number} count */
  showNewest(count) {
    const { known, narrow } = this.scene;
    this.chart.timeScale().setVisibleLogicalRange({ from: known.last - count, to: known.last + (narrow ? 3 : 6) });
  }

  /** Put a place into the picture: nothing moves while it is in sight, else it is set at two thirds. @param {number} place */
  reveal(place) {
    const range = this.range();
    if (!range || (place >= range.from && place <= range.to)) return;
    const width = range.to - range.from;
    this.chart.timeScale().setVisibleLogicalRange({ from: place - (width * 2) / 3, to: place + width / 3 });
  }

  range() {
    return this.chart.timeScale().getVisibleLogicalRange();
  }

  /** @param {number} step 1 in, −1 out, 0 all */
  zoom(step) {
    const range = this.range();
    if (!range) return;
    if (step === 0) this.chart.timeScale().fitContent();
    else {
      const width = (range.to - range.from) * (step > 0 ? 0.8 : 1.25);
      this.chart.timeScale().setVisibleLogicalRange({ from: range.to - width, to: range.to });
    }
  }

  /** The place under a pixel of the host. @param {number} x */
  placeAt(x) {
    return Math.min(this.inside(this.chart.timeScale().coordinateToLogical(x) ?? 0), this.scene.known.last);
  }

  /** @param {number} place */
  xOf(place) {
    return this.chart.timeScale().logicalToCoordinate(place);
  }

  /** While a label is drawn, dragging does not move the picture. @param {boolean} locked */
  lock(locked) {
    this.chart.applyOptions({ handleScroll: !locked, handleScale: !locked });
  }

  /** The heights of the panes, for their titles. */
  paneTops() {
    let top = 0;
    return this.chart.panes().map((pane) => {
      const here = top;
      top += pane.getHeight() + 1;
      return here;
    });
  }

  draw() {
    this.requestUpdate?.();
  }

  destroy() {
    this.chart.remove();
  }

  primitive() {
    const view = (zOrder, paint) => ({ zOrder: () => zOrder, renderer: () => ({ draw: (target) => this.guarded(target, paint) }) });
    const views = [
      view('bottom', (pen) => drawBelow(pen, this.scene)),
      view('top', (pen) => { this.drawn = drawAbove(pen, this.scene); }),
    ];
    return {
      attached: ({ requestUpdate }) => { this.requestUpdate = requestUpdate; },
      detached: () => { this.requestUpdate = undefined; },
      paneViews: () => views,
    };
  }

  /** A fault of ours is told once and does not stop the chart. @param {any} target @param {(pen: import('./overlay.js').Pen) => void} paint */
  guarded(target, paint) {
    target.useMediaCoordinateSpace(({ context: g, mediaSize }) => {
      g.save();
      try {
        const pen = this.pen(g, mediaSize.width, mediaSize.height);
        if (pen) paint(pen);
      } catch (error) {
        if (!this.faulty) this.tell.fault(/** @type {Error} */ (error));
        this.faulty = true;
      }
      g.restore();
    });
  }

  /** The price scale is a straight line: two of its prices give all others, which is a tenth of the cost of asking. */
  scaleOf() {
    const [low, high] = [this.lastPrice, this.lastPrice * 2 + 1000];
    const from = this.candles.priceToCoordinate(low);
    const to = this.candles.priceToCoordinate(high);
    if (from === null || to === null) return () => -1000;
    const slope = (to - from) / (high - low);
    return (/** @type {number} */ price) => from + (price - low) * slope;
  }

  /** @param {CanvasRenderingContext2D} g @param {number} width @param {number} height @returns {import('./overlay.js').Pen | null} */
  pen(g, width, height) {
    const scale = this.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    const { rows } = this.scene;
    if (!range || !rows.length) return null;
    const left = scale.logicalToCoordinate(0) ?? 0;
    const bar = scale.options().barSpacing;
    return {
      g, width, height, bar, alpha: this.scene.dimmed ? 0.62 : 1,
      x: (place) => left + place * bar, placeAt: (x) => (x - left) / bar, y: this.scaleOf(),
      from: Math.max(0, Math.floor(range.from)), to: Math.min(rows.length - 1, Math.ceil(range.to)),
    };
  }
}

/** @param {(value: number) => string} formatter */
const quietFormat = (formatter) => ({ type: 'custom', formatter, minMove: 1 });

/** @param {import('./series.js').Row} row @param {number} time */
function candleOf(row, time) {
  const { open, high, low, close, final } = row;
  return { time, open, high, low, close, ...(final ? {} : { color: 'transparent' }) };
}

/** @param {import('./series.js').Row} row @param {number} time */
function volumeOf(row, time) {
  return { time, value: row.volume, color: token(row.close >= row.open ? '--up' : '--down') + (row.final ? '80' : '40') };
}

/** @param {Scene} scene */
function chartOptions(scene) {
  const cross = { color: token('--line-strong'), style: LineStyle.Dotted, width: 1, labelBackgroundColor: token('--inverse') };
  return {
    autoSize: true,
    layout: {
      attributionLogo: false, // it adds a style element, which the policy of the page refuses; the footer holds the link
      fontFamily: token('--font'), fontSize: parseInt(token('--t-12'), 10), background: { color: 'transparent' }, textColor: token('--ink-2'),
      panes: { separatorColor: token('--line'), separatorHoverColor: token('--hover'), enableResize: true },
    },
    grid: { vertLines: { color: token('--grid') }, horzLines: { color: token('--grid') } },
    crosshair: { mode: CrosshairMode.Normal, vertLine: cross, horzLine: cross },
    rightPriceScale: { borderVisible: false, entireTextOnly: true, minimumWidth: scene.narrow ? 56 : 72 },
    timeScale: {
      borderColor: token('--line'), timeVisible: true, secondsVisible: false, rightOffset: scene.narrow ? 3 : 6, minBarSpacing: 0.02, shiftVisibleRangeOnNewBar: false,
      enableConflation: true, conflationThresholdFactor: 2, // candles nearer than a pixel are drawn as one, from the lowest to the highest price of all
      tickMarkFormatter: axisMark,
    },
    localization: { timeFormatter: (time) => fullTime(time - KST_OFFSET, scene.timeframe) },
    kineticScroll: { touch: true, mouse: false },
  };
}
