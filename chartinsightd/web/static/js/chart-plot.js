/**
 * The picture itself: the canvas with its chart, and what stands over it — legend, titles of the panes, what is hidden.
 * @module
 */
import { Chart } from './chart.js';
import { legendOf } from './chart-head.js';
import { fill, h } from './dom.js';
import { toast } from './frame.js';
import { big } from './numbers.js';
import { settings } from './settings.js';
import { t } from './words.js';

/** A click this near to a marker is meant for it. */
const NEAR_PIXELS = 14;
/** Candles in the first picture: on a phone, and elsewhere at least, at most, and one for so many pixels. */
const IN_SIGHT = { narrow: 62, least: 110, most: 300, pixels: 5.6 };
/** The words for what is hidden need this much room, in full and at all. */
const LATER_ROOM = { full: 150, any: 60 };

export class ChartPlot {
  /** @param {any} page the chart view it belongs to */
  constructor(page) {
    this.page = page;
    /** @type {Chart | null} */
    this.chart = null;
    /** The candle under the pointer. @type {number | null} */
    this.hover = null;
    this.canvas = h('div', { class: 'canvas', tabIndex: 0, role: 'group' });
    this.legend = h('div', { class: 'legend' });
    this.titles = h('div', { class: 'panetitles' });
    this.hidden = h('div', { class: 'later' });
    this.drawbox = h('div', { class: 'drawbox' });
    this.olderNote = h('div', { class: 'oldernote', role: 'status' });
    this.box = h('div', { class: 'plot' });
    this.restore();
  }

  /** Put the picture back where a word of loading or an error stood. */
  restore() {
    fill(this.box, this.canvas, this.legend, this.titles, this.hidden, this.olderNote, this.drawbox);
  }

  /** Put something in the place of the picture. @param {any} element */
  replaceBy(element) {
    fill(this.box, element);
  }

  /** @param {string} name of the chart, for whoever hears it @param {number} added rows put on the left */
  show(name, added) {
    if (!this.canvas.isConnected) this.restore();
    this.canvas.setAttribute('aria-label', name);
    const fresh = !this.chart;
    if (fresh) this.make();
    this.chart.load(added);
    if (fresh) this.chart.showNewest(this.candlesInSight());
    this.chart.draw();
    this.settle();
  }

  make() {
    const { page } = this;
    this.chart = new Chart(this.canvas, page.scene, {
      hover: (place) => this.setHover(place),
      pick: (at) => this.pickAt(at),
      reachedStart: () => page.reading.loadOlder(),
      moved: () => page.scene.known?.past && this.settle(),
      fault: (error) => toast(`${t('error.title')}: ${error.message}`),
    });
    this.canvas.chart = this.chart; // for the tests, which look at what the last frame showed
    for (const child of this.canvas.children) child.setAttribute('aria-hidden', 'true');
    this.chart.lock(Boolean(page.labels.drawing));
  }

  /** Take the chart away; the next drawing makes a new one. */
  remove() {
    this.chart?.destroy();
    this.chart = null;
  }

  /** The picture moved or has its size now: what stands beside it follows with the next frame. */
  settle() {
    if (this.settling) return;
    this.settling = true;
    requestAnimationFrame(() => {
      this.settling = false;
      if (!this.chart || this.page.gone) return;
      this.drawLegend();
      this.drawLater();
    });
  }

  candlesInSight() {
    if (this.page.scene.narrow) return IN_SIGHT.narrow;
    return Math.max(IN_SIGHT.least, Math.min(IN_SIGHT.most, Math.round(this.box.clientWidth / IN_SIGHT.pixels)));
  }

  draw() {
    this.chart?.draw();
    if (this.chart && this.page.scene.known) this.drawLegend();
  }

  drawLegend() {
    fill(this.legend, legendOf(this.page));
    const { rows } = this.page.scene;
    const place = this.placeInView();
    const row = rows[place];
    const strength = this.chart.strengths?.[place];
    this.drawTitles(row && !row.gap ? big(row.volume) : '–', strength === null || strength === undefined ? '–' : strength.toFixed(1));
  }

  /** The candle that legend and titles tell of: under the pointer, else walked to, else the newest. */
  placeInView() {
    const { cursor, known } = this.page.scene;
    return Math.min(this.hover ?? cursor ?? known.last, known.last);
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
    const { known, rows } = this.page.scene;
    if (!known?.past || !this.chart) {
      fill(this.hidden);
      return;
    }
    const left = (this.chart.xOf(known.last) ?? 0) + 20;
    const width = this.canvas.clientWidth - 80 - left;
    this.hidden.style.left = `${left}px`;
    this.hidden.style.width = `${Math.max(0, width)}px`;
    const later = rows.length - 1 - known.last;
    const full = width >= LATER_ROOM.full;
    fill(this.hidden, width < LATER_ROOM.any ? null : [h('p', {}, t(full ? 'asof.hidden' : 'asof.hidden.s', { n: later })),
      known.hiddenLabels && full ? h('p', {}, t('asof.hidlab', { n: known.hiddenLabels })) : null]);
  }

  /** A layer was switched. @param {string} name */
  showLayer(name) {
    this.chart?.averages.forEach((line, i) => line.applyOptions({ visible: settings.layers[['ma20', 'ma60'][i]] }));
    this.draw();
  }

  // ---- the pointer

  /** @param {number | null} place */
  setHover(place) {
    this.hover = place;
    const { known, hot } = this.page.scene;
    const point = place === null ? null : known?.points.find((p) => p.at === place);
    const at = point ? point.at : null;
    if (at !== hot) {
      this.page.scene.hot = at;
      this.chart?.draw();
    }
    if (known) this.drawLegend();
  }

  /** A click on a point shows its confirmation, on a pattern chooses it. @param {{x: number, y: number, place: number}} at */
  pickAt({ x, y, place }) {
    if (this.page.labels.drawing) return;
    const point = this.chart.drawn.find((mark) => mark.what === 'point' && Math.hypot(mark.x - x, mark.y - y) < NEAR_PIXELS);
    if (point) {
      this.page.walk.showPoint(point.point);
      return;
    }
    const price = this.chart.candles.coordinateToPrice(y);
    const under = this.page.scene.known.patterns.filter((p) => {
      const prices = p.points.map((q) => q.y);
      return p.points[0].at <= place && p.known >= place && price >= Math.min(...prices) && price <= Math.max(...prices);
    });
    this.page.walk.choose(under.at(-1)?.id ?? null);
  }
}
