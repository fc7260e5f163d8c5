/**
 * The notes: sentences whose every figure lights the stored row that it comes from.
 * @module
 */
import { get, post } from './api.js';
import { fill, h, icon } from './dom.js';
import { errorBox, refill } from './frame.js';
import { fullTime, shortTime, yearOf } from './numbers.js';
import { claimOf } from './note-text.js';
import { ChoiceView } from './view.js';
import { getLanguage, t, wordOr } from './words.js';

const PAGE = 100;

export class NotesPage extends ChoiceView {
  /** @param {any} context @param {{symbol: string | null}} route */
  constructor(context, route) {
    super(context, 'notes');
    this.symbol = route.symbol;
    /** @type {any[] | null} */ this.notes = null;
    this.writeProblem = null;
    this.writing = false;
    this.shown = null;
    /** @type {{used: number, limit: number} | null} */ this.budget = null;
    /** The model that is set up, null: none. @type {string | null} */ this.provider = null;
    /** @type {Map<string, string>} */ this.names = new Map();
  }

  async load() {
    try {
      const list = await get('notes', { limit: PAGE });
      this.notes = list.items;
      this.provider = list.provider;
      this.budget = list.provider && list.requests_per_day ? { used: list.used_today, limit: list.requests_per_day } : null;
      await this.nameStocks(this.notes);
      this.problem = null;
      this.shown = this.notes.find((note) => note.symbols.includes(this.symbol)) ?? this.notes[0] ?? null;
    } catch (problem) {
      this.problem = problem;
    }
    if (!this.gone) this.draw();
  }

  /** A note holds codes; the names are the stock list's. @param {any[]} notes */
  async nameStocks(notes) {
    const unknown = [...new Set(notes.flatMap((note) => note.symbols))].filter((symbol) => !this.names.has(symbol));
    if (!unknown.length) return;
    const { items } = await get('stocks', { symbol: unknown, limit: unknown.length });
    for (const stock of items) this.names.set(stock.symbol, stock.name);
  }

  async write() {
    this.writing = true;
    this.writeProblem = null;
    this.draw();
    try {
      const note = await post('ai/analysis', { symbols: [this.symbol], language: getLanguage() });
      await this.nameStocks([note]);
      this.notes = [note, ...(this.notes ?? []).filter((one) => one.id !== note.id)];
      this.shown = note;
    } catch (problem) {
      this.writeProblem = problem;
    }
    this.writing = false;
    if (!this.gone) this.draw();
  }

  draw() {
    this.tell();
    this.drawList();
    this.drawNote();
  }

  drawList() {
    const { budget } = this;
    refill(this.left, h('section', { class: 'card' }, h('h2', {}, t('view.notes')),
      this.problem ? errorBox(this.problem, () => this.load()) : null,
      h('div', { class: 'savedlist' }, this.notes?.map((note) => this.listRow(note))),
      this.notes?.length === 0 ? h('p', { class: 'empty' }, t('empty.notes')) : null,
      this.symbol ? h('button', { class: 'btn prime full', type: 'button', data: { key: 'write' }, disabled: this.writing, onclick: () => this.write() }, icon('plus', 14), t(this.writing ? 'loading' : 'n.new')) : null,
      this.writeProblem ? errorBox(this.writeProblem, () => this.write()) : null,
      budget ? h('p', { class: 'dim' }, t('n.budget', { k: budget.used, n: budget.limit })) : null));
  }

  /** @param {any} note */
  listRow(note) {
    const when = shortTime(note.created_at, '5m', yearOf(this.context.connection.now()));
    return h('button', { class: 'saved noteitem', type: 'button', data: { row: '', key: `note-${note.id}` }, 'aria-current': note === this.shown ? 'true' : null, onclick: () => { this.shown = note; this.draw(); } },
      h('span', {}, h('b', {}, this.titleOf(note)), h('small', {}, `${when} · ${t(sourceOf(note))}`)), h('small', {}, t('n.kept', { k: note.claims_kept })));
  }

  /** @param {any} note */
  titleOf(note) {
    return note.symbols.map((symbol) => this.names.get(symbol) ?? symbol).join(', ');
  }

  drawNote() {
    const note = this.shown;
    if (!note) {
      fill(this.right, h('p', { class: 'empty pad' }, this.problem ? null : this.notes ? null : t('loading')));
      return;
    }
    const { facts } = note;
    const table = factTable(facts);
    const light = (id) => table.querySelectorAll('tbody tr').forEach((row) => row.classList.toggle('hot', row.dataset.fact === id));
    const template = note.source === 'template';
    fill(this.right,
      h('header', { class: 'pagehead' }, h('h1', {}, this.titleOf(note)), h('span', { class: 'mono dim' }, note.symbols.join(' ')), h('span', { class: 'chip' }, t(sourceOf(note))), h('span', { class: 'dim' }, fullTime(note.created_at, '5m')), h('span', { class: 'grow' }),
        note.symbols[0] ? h('button', { class: 'btn', type: 'button', onclick: () => this.context.go({ view: 'chart', symbol: note.symbols[0], timeframe: '1d' }) }, icon('chart', 14), t('chart')) : null),
      h('div', { class: 'claims' }, note.claims.map((claim) => claimOf(claim, facts, light))),
      h('p', { class: 'kept' }, h('span', {}, icon('check', 14), t('n.kept', { k: note.claims_kept })), struckOf(note)),
      table, h('p', { class: 'dim' }, t(template ? 'n.rule.t' : 'n.rule')),
      template && !this.provider ? h('p', { class: 'dim' }, t('n.nokey')) : null);
  }

  /** @param {string} type */
  onEvent(type) {
    if (type === 'note' || type === 'reset') this.load();
  }
}

/** @param {any} note */
const sourceOf = (note) => (note.source === 'template' ? 'n.template' : 'n.ai');

/** @param {any} note */
function struckOf(note) {
  const struck = Object.entries(note.claims_struck).filter(([, n]) => Number(n) > 0);
  const total = struck.reduce((sum, [, n]) => sum + Number(n), 0);
  if (!total) return null;
  return h('span', { class: 'doubt' }, icon('cross', 14), t('n.struck', { s: total, r: struck.map(([reason, n]) => `${wordOr(`struck.${reason}`, reason)} ${n}`).join(' · ') }));
}

/** @param {any[]} facts */
function factTable(facts) {
  const columns = ['fact', 'value', 'asof', 'src'];
  return h('table', { class: 'grid list facts' }, h('caption', {}, t('n.facts')),
    h('thead', {}, h('tr', {}, columns.map((column) => h('th', { scope: 'col', class: column === 'value' ? 'num' : 'l' }, t(`n.${column}`))))),
    h('tbody', {}, facts.map((fact) => h('tr', { data: { fact: fact.id } }, h('th', { scope: 'row' }, fact.what), h('td', {}, h('b', {}, fact.text)),
      h('td', { class: 'l mono' }, fact.as_of), h('td', { class: 'l mono' }, fact.rows.join(' · ')))))); 
}
