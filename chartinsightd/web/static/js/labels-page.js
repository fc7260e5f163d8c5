/**
 * The labels: every stretch that was marked, and how often the person agrees with the detector.
 * @module
 */
import { addressOf, get, Problem } from './api.js';
import { h, icon } from './dom.js';
import { refill, toast } from './frame.js';
import { rate, shortTime, stretch, yearOf } from './numbers.js';
import { patternName } from './side-panel.js';
import { ListView, openingRow } from './view.js';
import { t } from './words.js';

const COLUMNS = ['when', 'stock', 'tf', 'range', 'kind', 'verdict', 'seen', 'note'];
const PAGE = 200;
const TYPING_MS = 250;
const VERDICT_ICONS = /** @type {Record<string, any>} */ ({ agree: 'check', disagree: 'cross', own: 'pen', withdrawn: 'dash' });

export class LabelsPage extends ListView {
  /** @param {any} context */
  constructor(context) {
    super(context, 'labels');
    this.words = '';
    /** @type {any} */ this.answer = null;
    this.items = [];
    /** @type {Map<number, any[]>} earlier versions by the label that replaces them */
    this.history = new Map();
  }

  /** @param {string | null} [cursor] */
  async load(cursor = null) {
    const words = this.words;
    try {
      const answer = await get('labels', { q: words || null, limit: PAGE, cursor });
      if (this.gone || words !== this.words) return;
      this.items = cursor ? [...this.items, ...answer.items] : answer.items;
      this.answer = answer;
      this.problem = null;
    } catch (problem) {
      if (this.gone || words !== this.words) return;
      this.problem = problem;
    }
    this.draw();
  }

  draw() {
    this.tell();
    refill(this.page, this.head(), this.agreement(), this.body());
  }

  head() {
    const input = h('input', { class: 'filter', type: 'search', data: { key: 'filter' }, value: this.words, placeholder: t('lab.filter'), 'aria-label': t('lab.filter'), oninput: () => {
      this.words = input.value.trim();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.load(), TYPING_MS);
    } });
    return h('header', { class: 'pagehead' }, h('h1', {}, t('view.labels')), h('span', { class: 'count' }, String(this.answer?.total ?? '')), h('span', { class: 'grow' }), input,
      h('button', { class: 'btn', type: 'button', data: { key: 'export' }, onclick: () => this.exportAll() }, icon('down', 14), t('lab.export')));
  }

  agreement() {
    const rows = this.answer?.agreement ?? [];
    if (!rows.length) return h('div', {});
    return h('div', { class: 'agreebar', role: 'group', 'aria-label': t('lab.agreement') }, h('h2', {}, t('lab.agreement')), rows.map((row) => h('div', { class: 'ag' }, h('span', {}, patternName(row.kind)),
      row.rate === null ? h('b', { class: 'few' }, t('stat.few', { n: row.n })) : [h('b', {}, `${rate(row.rate)} %`), h('small', {}, t('lab.agree.n', { n: row.n, k: row.agreed }))])));
  }

  body() {
    return this.listOf(this.answer && this.items, 'empty.labels', () => [h('table', { class: 'grid list labs' },
      h('thead', {}, h('tr', {}, COLUMNS.map((column) => h('th', { scope: 'col', class: `l c-${column}` }, t(`lab.c.${column}`))))),
      h('tbody', {}, this.items.flatMap((label) => [this.row(label, false), ...(this.history.get(label.id) ?? []).map((older) => this.row(older, true))]))),
    this.answer.cursor ? h('button', { class: 'btn full', type: 'button', data: { key: 'more' }, onclick: () => this.load(this.answer.cursor) }, t('more')) : null]);
  }

  /** @param {any} label @param {boolean} older */
  row(label, older) {
    const open = () => this.context.go({ view: 'chart', symbol: label.symbol, timeframe: label.timeframe });
    const year = yearOf(this.context.connection.now());
    const earlier = (label.versions ?? 1) - 1;
    const row = openingRow(`label-${label.id}`, open,
      h('td', { class: 'l mono c-when' }, shortTime(label.created_at, '5m', year)), h('th', { scope: 'row' }, h('b', {}, label.name || label.symbol)),
      h('td', { class: 'l' }, t(`tf.${label.timeframe}`)), h('td', { class: 'l mono c-range' }, stretch(label.from_ts, label.to_ts, label.timeframe, year)), h('td', { class: 'l' }, patternName(label.kind)),
      h('td', { class: 'l' }, h('span', { class: `verdict ${label.verdict}` }, icon(VERDICT_ICONS[label.verdict], 13), verdictWord(label.verdict))),
      h('td', { class: 'l c-seen' }, h('span', { class: `chip${label.hindsight ? ' dash' : ''}` }, t(label.hindsight ? 'lab.hind.yes' : 'lab.hind.no'))),
      h('td', { class: 'l c-note' }, label.note, earlier > 0 && !older ? h('button', { class: 'link small', type: 'button', data: { key: `earlier-${label.id}` }, onclick: (event) => { event.stopPropagation(); this.showEarlier(label); } }, t('lab.replaced', { n: earlier })) : null));
    if (older) row.className = 'earlier';
    return row;
  }

  /** Open or close the versions that a label replaces. @param {any} label */
  async showEarlier(label) {
    if (this.history.has(label.id)) {
      this.history.delete(label.id);
      this.draw();
      return;
    }
    try {
      const { items } = await get('labels', { symbol: label.symbol, timeframe: label.timeframe, history: true, limit: 1000 });
      this.history.set(label.id, chainOf(label, items));
      this.draw();
    } catch (problem) {
      toast(`${t('error.title')} ${/** @type {any} */ (problem).message}`);
    }
  }

  /** Save every label as NDJSON, as the daemon writes it. */
  async exportAll() {
    try {
      const response = await fetch(addressOf('labels', { limit: 1000, q: this.words || null }), { headers: { Accept: 'application/x-ndjson' } });
      if (!response.ok) throw new Problem(response.status, await response.json().catch(() => ({})));
      const link = h('a', { href: URL.createObjectURL(await response.blob()), download: 'labels.ndjson' });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    } catch (problem) {
      toast(`${t('error.title')} ${/** @type {any} */ (problem).message}`);
    }
  }

  /** @param {string} type */
  onEvent(type) {
    if (type === 'label' || type === 'reset') this.load();
  }
}

/** The versions before a label, newest first. @param {any} label @param {any[]} all */
export function chainOf(label, all) {
  const byId = new Map(all.map((one) => [one.id, one]));
  const chain = [];
  for (let before = byId.get(label.replaces); before && !chain.includes(before); before = byId.get(before.replaces)) chain.push(before);
  return chain;
}

/** @param {string} verdict */
const verdictWord = (verdict) => t({ own: 'lab.v.own', agree: 'agree', disagree: 'disagree', withdrawn: 'lab.cancel' }[verdict]);
