/**
 * Going through a chart: to a past candle as it was known then, and from candle to candle, point to point, pattern to pattern.
 * @module
 */
import { stateOf } from './chart-head.js';
import { say } from './frame.js';
import { eventsOf, knownAt } from './known.js';
import { changeOf, fullTime, percent, won } from './numbers.js';
import { candleAt } from './series.js';
import { settings } from './settings.js';
import { t } from './words.js';

/** Older candles are read when one is this near to the first. */
const NEAR_START = 20;

export class ChartWalk {
  /** @param {any} page the chart view it belongs to */
  constructor(page) {
    this.page = page;
  }

  // ---- as of

  /** Look at the close of a candle; null: now. @param {number | null} place */
  setAsOf(place) {
    const { page } = this;
    const { rows } = page.series;
    const now = place === null || place >= rows.length - 1;
    const untilTs = now ? null : rows[Math.max(0, place)].ts;
    if (untilTs === page.untilTs) return;
    page.untilTs = untilTs;
    Object.assign(page.scene, { hot: null, cursor: null });
    page.plot.hover = null;
    page.refresh();
    page.reading.countSoon();
    page.plot.chart?.reveal(page.scene.known.last);
    say(untilTs === null ? t('asof.now') : t('asof.on', { d: fullTime(untilTs, page.timeframe) }));
  }

  /** @param {number} place */
  slideTo(place) {
    this.setAsOf(place);
    if (place < NEAR_START) this.page.reading.loadOlder();
  }

  /** @param {number} step */
  stepAsOf(step) {
    const { last } = this.page.scene.known;
    if (step < 0 && last < NEAR_START) this.page.reading.loadOlder();
    this.setAsOf(Math.max(0, last + step));
  }

  /** @param {number} step */
  stepEvent(step) {
    const { series, scene } = this.page;
    const { last } = scene.known;
    const places = [...new Set(eventsOf(series, knownAt(series, null)).map((event) => event.at))].sort((a, b) => a - b);
    const next = step < 0 ? places.filter((place) => place < last).at(-1) : places.find((place) => place > last);
    if (next !== undefined) this.setAsOf(next);
    else if (step > 0) this.setAsOf(null);
  }

  // ---- candle by candle

  /** @param {number} step */
  stepCandle(step) {
    const { scene, plot, labels, reading } = this.page;
    const { known } = scene;
    const from = scene.cursor ?? known.last - (step < 0 ? -1 : 0);
    scene.cursor = Math.max(0, Math.min(known.last, from + step));
    scene.hot = null;
    plot.hover = null;
    const anchor = labels.drawing?.anchor;
    if (anchor !== null && anchor !== undefined) labels.setDraft(anchor, scene.cursor);
    plot.chart?.reveal(scene.cursor);
    plot.draw();
    if (scene.cursor < NEAR_START) reading.loadOlder();
    say(this.spoken(scene.cursor));
  }

  /** A candle as it is read out. @param {number} place */
  spoken(place) {
    const { rows } = this.page.scene;
    const row = rows[place];
    const day = fullTime(row.ts, this.page.timeframe);
    if (row.gap) return t('candle.gap') + ` ${day}`;
    const before = candleAt(rows, place - 1);
    const state = t(`candle.${stateOf(row)}`);
    return t('live.candle', { d: day, c: won(row.close), p: percent(changeOf(before?.close ?? row.open, row.close)), s: state });
  }

  // ---- point by point

  /** @param {number} step */
  stepPoint(step) {
    const { known, hot } = this.page.scene;
    const from = hot ?? (step < 0 ? known.last + 1 : -1);
    const points = known.points.filter((p) => settings.layers.secondary || p.grade === 'primary');
    const next = step < 0 ? points.filter((p) => p.at < from).at(-1) : points.find((p) => p.at > from);
    if (next) this.showPoint(next);
  }

  /** @param {any} point */
  showPoint(point) {
    const { page } = this;
    page.scene.hot = point.at;
    page.plot.hover = point.at;
    page.plot.chart?.reveal(point.at);
    page.plot.draw();
    const open = point.known === undefined;
    const word = t(open ? `pt.cand.${point.kind}` : `pt.${point.grade}.${point.kind}`);
    say(open ? `${word} ${won(point.y)} · ${t('pt.open')}` : t('live.point', { k: word, p: won(point.y), d: page.short(page.scene.rows[point.known].ts) }));
  }

  // ---- pattern by pattern

  /** @param {number} step */
  stepPattern(step) {
    const { page } = this;
    const { patterns } = page.scene.known;
    if (!patterns.length) return;
    const at = patterns.findIndex((p) => p.id === page.scene.chosen);
    const next = at < 0 ? (step < 0 ? patterns.length - 1 : 0) : Math.max(0, Math.min(patterns.length - 1, at + step));
    const pattern = patterns[next];
    this.choose(pattern.id);
    say(`${t(`pat.${pattern.kind}`)} · ${t(`st.${pattern.state}`)} · ${page.short(pattern.points[0].ts)} – ${page.short(page.scene.rows[pattern.known].ts)}`);
  }

  /** @param {string | null} id */
  choose(id) {
    const { page } = this;
    page.scene.chosen = id;
    const pattern = page.scene.known.patterns.find((p) => p.id === id);
    if (pattern) page.plot.chart?.reveal(pattern.points[0].at);
    page.plot.chart?.draw();
    page.drawSide();
  }

  /** Nothing chosen, nothing walked to. */
  clear() {
    const { page } = this;
    Object.assign(page.scene, { chosen: null, hot: null, cursor: null });
    page.plot.hover = null;
    page.plot.draw();
    page.drawSide();
  }
}
