/**
 * The side panel: structure, patterns with their statistics, events, labels, newest note. All of it as known at the candle in view.
 * @module
 */
import { h, icon } from './dom.js';
import { errorBox } from './frame.js';
import { eventsOf } from './known.js';
import { rate, shortTime, stretch, won } from './numbers.js';
import { rateScale } from './small-charts.js';
import { claimOf } from './note-text.js';
import { t, wordOr } from './words.js';

export const STATE_ICONS = /** @type {Record<string, any>} */ ({ completed: 'check', failed: 'cross', expired: 'dash', forming: 'ring' });
const KINDS = ['double_bottom', 'double_top', 'retest_bottom', 'retest_top', 'head_shoulders', 'inverse_head_shoulders'];
/** Candles after a pattern's end to which its statistics are told here. */
const HORIZON = 5;
/** A completed pattern stays open in the panel for so many candles. */
const FRESH = 20;
const EVENTS_SHOWN = 10;
const PATTERNS_SHOWN = 12;
/** Fewer cases than this and there is no figure: the daemon's own rule, kept here too. */
const TOO_FEW = 30;
const TREND_WORD = { up: 'trend.up', down: 'trend.down', sideways: 'trend.side' };
const TREND_SIGN = { up: '▲', down: '▼', sideways: '–' };

/** @param {string} kind */
export const patternName = (kind) => wordOr(`pat.${kind}`, kind);

/** @param {string} trend */
export function trendWord(trend) {
  return h('span', { class: `tr ${trend === 'sideways' ? 'flat' : trend}` }, `${TREND_SIGN[trend]} ${t(TREND_WORD[trend])}`);
}

/** @param {any} page */
export function sidePanel(page) {
  if (!page.isKrx) return [h('div', { class: 'col' }, krxAloneCard(page), noteCard(page))];
  const first = [structureCard(page), patternsCard(page)];
  const second = [eventsCard(page), labelsCard(page), noteCard(page), statisticsCard(page)];
  return [h('div', { class: 'col' }, first), h('div', { class: 'col' }, second)];
}

/** What stands in the place of the analysis at another venue. @param {any} page */
function krxAloneCard(page) {
  return card(t('side.structure'), null, h('p', { class: 'empty' }, t('venue.analysis')),
    h('button', { class: 'btn full', type: 'button', onclick: () => page.setVenue('KRX') }, t('venue.to.krx')));
}

/** @param {string} title @param {number | null} count @param {...any} kids */
function card(title, count, ...kids) {
  return h('section', { class: 'card' }, h('h2', {}, title, count === null ? null : h('span', { class: 'count' }, String(count))), kids);
}

/** @param {any} page */
function structureCard(page) {
  const { known, rows } = page.scene;
  const trend = known.trends.at(-1);
  const latest = (kind) => known.points.filter((p) => p.grade === 'primary' && p.kind === kind).at(-1);
  const needs = page.reading.answer.analysis.needs;
  const points = ['peak', 'valley'].map((kind) => latest(kind)).filter(Boolean);
  return card(t(known.past ? 'side.structure.then' : 'side.structure'), null,
    trend && rows.length ? trendLine(trend, known, page) : null,
    points.map((point) => pointRow(t(`pt.last.${point.kind}`), point, `${page.short(point.ts)} · ${page.confirmed(point)}`, page)),
    known.candidate ? pointRow(t(`pt.cand.${known.candidate.kind}`), known.candidate, `${page.short(known.candidate.ts)} · ${t('pt.open')}`, page) : null,
    points.length ? null : h('p', { class: 'empty' }, t('empty.points', { n: Math.max(needs, 1) })));
}

/** @param {any} trend @param {any} known @param {any} page */
function trendLine(trend, known, page) {
  const way = trend.trend === 'sideways' ? 'flat' : trend.trend;
  const sign = trend.trend === 'sideways' ? '' : `${TREND_SIGN[trend.trend]} `;
  return h('p', { class: `trend ${way}` }, h('b', {}, sign + t(TREND_WORD[trend.trend])), h('small', {}, t('trend.since', { d: page.short(trend.ts), n: known.last - trend.at + 1 })));
}

/** @param {string} title @param {any} point @param {string} when @param {any} page */
function pointRow(title, point, when, page) {
  const forming = point.known === undefined;
  return h('button', { class: 'ptrow', type: 'button', data: { key: `pt-${title}` }, onclick: () => page.walk.showPoint(point) },
    h('i', { class: `mk ${point.kind}${forming ? ' forming' : ''}` }), h('span', { class: 'k' }, title), h('b', {}, won(point.y)), h('small', {}, when));
}

/** @param {any} page */
function patternsCard(page) {
  const { known } = page.scene;
  const newest = [...known.patterns].reverse().slice(0, PATTERNS_SHOWN);
  return card(t('side.patterns'), known.patterns.length,
    newest.map((pattern) => patternOf(pattern, page)),
    newest.length ? null : h('p', { class: 'empty' }, t('empty.patterns')));
}

/** @param {any} pattern @param {any} page */
function patternOf(pattern, page) {
  const { known, chosen, rows } = page.scene;
  const fresh = pattern.state === 'completed' && known.last - pattern.known <= FRESH;
  const open = pattern.id === chosen || pattern.state === 'forming' || fresh;
  const first = pattern.points[0].ts;
  const end = rows[Math.max(0, pattern.known)].ts;
  const when = open ? stretch(first, end, page.timeframe, page.year()) : page.short(end);
  return h('div', { class: `pat ${pattern.state}${pattern.id === chosen ? ' sel' : ''}${open ? '' : ' fold'}` },
    h('button', { class: 'pathead', type: 'button', data: { key: `pat-${pattern.id}` }, 'aria-expanded': String(open), 'aria-pressed': String(pattern.id === chosen), onclick: () => page.walk.choose(pattern.id === chosen ? null : pattern.id) },
      badge(pattern.state), h('b', {}, patternName(pattern.kind)), h('small', {}, when)),
    open ? [necklineRow(pattern, page), statisticOf(pattern.kind, pattern.state, page)] : null);
}

/** @param {string} state */
function badge(state) {
  return h('span', { class: 'badge' }, icon(STATE_ICONS[state], 13), t(`st.${state}`));
}

/** @param {any} pattern @param {any} page */
function necklineRow(pattern, page) {
  const neckline = pattern.levels.neckline;
  const verdict = page.labels.verdictOf(pattern.id);
  return h('div', { class: 'patneck' },
    neckline ? [h('span', {}, t('pat.neck')), h('b', {}, won(neckline.y))] : null,
    h('span', { class: 'grow' }),
    ['agree', 'disagree'].map((way) => h('button', { class: 'tiny', type: 'button', data: { key: `${way}-${pattern.id}` }, 'aria-pressed': String(verdict === way), onclick: () => page.labels.judge(pattern, way) }, t(way))));
}

/** @param {any[] | null} statistics @param {string} kind */
const pick = (statistics, kind) => statistics?.find((s) => s.kind === kind && s.horizon === HORIZON && s.sample === 'out') ?? null;

/** @param {string} kind @param {string} state @param {any} page */
function statisticOf(kind, state, page) {
  if (page.reading.statisticsProblem) return null; // the card of all kinds tells the problem, once
  if (!page.reading.statistics) return h('p', { class: 'dim' }, t('loading'));
  const statistic = pick(page.reading.statistics, kind);
  const n = statistic?.n ?? 0;
  if (!statistic || statistic.too_few || n < TOO_FEW || statistic.rate === null) return h('p', { class: 'stat few' }, t('stat.few', { n }));
  const horizon = { forming: 'stat.hf', completed: 'stat.h' }[state] ?? 'stat.hx';
  return h('div', { class: 'stat', title: t('stat.oos', { d: statistic.split }) },
    h('p', { class: 'statline' }, t('stat.line', { n, p: rate(statistic.rate), b: rate(statistic.base) })),
    rateScale(statistic),
    h('span', { class: 'visually-hidden' }, t('stat.ci', { a: rate(statistic.low), b: rate(statistic.high) })),
    h('p', { class: 'statsub' }, h('span', {}, t(horizon)), h('b', {}, t(`stat.${statistic.verdict}`))));
}

/** @param {any} page */
function eventsCard(page) {
  const events = eventsOf(page.series, page.scene.known).slice(0, EVENTS_SHOWN);
  return card(t('side.events'), null, events.map((event, i) => h('button', {
    class: `evrow${page.timeframe === '1d' || page.timeframe === '1w' ? '' : ' wide'}`, type: 'button', title: t('ev.go'), data: { key: `ev-${i}` }, onclick: () => page.walk.setAsOf(event.at),
  }, h('time', {}, page.short(page.scene.rows[Math.max(0, event.at)].ts)), eventMark(event), h('span', {}, eventText(event)))));
}

/** @param {any} event */
function eventMark({ what, of }) {
  if (what === 'point') return h('i', { class: `mk ${of.kind}` });
  if (what === 'pattern') return icon(STATE_ICONS[of.state], 13);
  return h('span', {}, TREND_SIGN[of.trend]);
}

/** @param {any} event */
function eventText({ what, of }) {
  if (what === 'point') return t('ev.point', { k: t(`pt.primary.${of.kind}`), p: won(of.y) });
  if (what === 'pattern') return `${patternName(of.kind)} · ${t(`st.${of.state}`)}`;
  return t('ev.trend', { t: t(TREND_WORD[of.trend]) });
}

/** @param {any} page */
function labelsCard(page) {
  const { labels } = page.scene.known;
  return card(t('side.labels'), labels.length,
    labels.length ? null : h('p', { class: 'dim' }, t('empty.labels')),
    labels.map((label) => h('div', { class: 'labrow' }, h('i', { class: `sw${label.hindsight ? ' hind' : ''}` }),
      h('b', {}, `${patternName(label.kind)} · ${label.verdict === 'own' ? t('lab.v.own') : t(label.verdict)}`),
      h('small', {}, `${stretch(label.from_ts, label.to_ts, label.timeframe, page.year())} · ${t(label.hindsight ? 'lab.hind.yes' : 'lab.hind.no')}`),
      label.note ? h('small', {}, label.note) : null)));
}

/** The newest note that was written by the candle in view. @param {any} page */
function noteCard(page) {
  const { known } = page.scene;
  const note = page.reading.notes?.find((one) => one.created_at <= known.cut);
  return card(t('side.notes'), null,
    page.reading.notesProblem ? errorBox(page.reading.notesProblem, () => page.reading.loadNotes()) : null,
    note ? h('div', { class: 'notepv' }, h('small', {}, `${t(note.source === 'template' ? 'n.template' : 'n.ai')} · ${shortTime(note.created_at, '5m', page.year())}`), claimOf(note.claims[0] ?? null, note.facts, null)) : null,
    note || page.reading.notesProblem ? null : h('p', { class: 'dim' }, t(page.reading.notes ? 'empty.notes' : 'loading')),
    known.past ? null : h('button', { class: 'btn full', type: 'button', onclick: () => page.context.go({ view: 'notes', symbol: page.symbol, timeframe: page.timeframe }) }, t('n.new')));
}

/** @param {any} page */
function statisticsCard(page) {
  if (page.reading.statisticsProblem) return card(t('side.stats'), null, errorBox(page.reading.statisticsProblem, () => page.reading.loadStatistics()));
  if (!page.reading.statistics) return card(t('side.stats'), null, h('p', { class: 'dim' }, t('loading')));
  const bases = KINDS.map((kind) => pick(page.reading.statistics, kind)).filter((s) => s && s.base !== null && s.n >= TOO_FEW).map((s) => rate(s.base)).sort();
  const head = h('tr', {}, h('th', { scope: 'col' }, t('lab.c.kind')), ['n', 'up', 'ci'].map((key) => h('th', { scope: 'col' }, t(`stat.c.${key}`))));
  const base = bases[0] === bases.at(-1) ? bases[0] : `${bases[0]}–${bases.at(-1)}`;
  return card(t('side.stats'), null,
    h('table', { class: 'stats' }, h('thead', {}, head), h('tbody', {}, KINDS.map((kind) => statisticRow(kind, pick(page.reading.statistics, kind))))),
    bases.length ? h('p', { class: 'dim' }, t('side.stats.sub', { d: page.reading.statistics[0].split, b: base })) : null);
}

/** @param {string} kind @param {any} statistic */
function statisticRow(kind, statistic) {
  const n = statistic?.n ?? 0;
  const few = !statistic || statistic.too_few || n < TOO_FEW || statistic.rate === null;
  return h('tr', {}, h('th', { scope: 'row' }, patternName(kind)), few
    ? h('td', { class: 'few', colSpan: 3 }, t('stat.few', { n }))
    : [h('td', {}, String(n)), h('td', {}, `${rate(statistic.rate)} %`), h('td', { class: 'dim' }, `${rate(statistic.low)} – ${rate(statistic.high)}`)]);
}
