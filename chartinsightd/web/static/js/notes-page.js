/**
 * The notes: sentences whose every figure lights the stored row that it comes from.
 * @module
 */
import { get, post } from './api.js';
import { fill, h, icon } from './dom.js';
import { errorBox, refill } from './frame.js';
import { fullTime, shortTime, yearOf } from './numbers.js';
import { claimOf, factsOf } from './note-text.js';
import { t, wordOr } from './words.js';

const PAGE = 100;

export class NotesPage {
  /** @param {any} context @param {{symbol: string | null}} route */
  constructor(context, route) {
    this.context = context;
    this.symbol = route.symbol;
    /** @type {any[] | null} */ this.notes = null;
    this.problem = null;
    this.writeProblem = null;
    this.writing = false;
    this.shown = null;
    this.gone = false;
  }

  /** @param {HTMLElement} main */
  mount(main) {
    main.className = 'v-notes';
    this.left = h('aside', { class: 'builder', 'aria-label': t('view.notes') });
    this.right = h('section', { class: 'page note' });
    fill(main, this.left, this.right);
    this.draw();
    this.load();
  }

  destroy() {
    this.gone = true;
  }

  redraw() {
    this.draw();
  }

  async load() {
    try {
      this.notes = (await get('notes', { limit: PAGE })).items;
      this.problem = null;
      this.shown = this.notes.find((note) => note.symbols?.includes(this.symbol)) ?? this.notes[0] ?? null;
    } catch (problem) {
      this.problem = problem;
    }
    if (!this.gone) this.draw();
  }

  async write() {
    this.writing = true;
    this.writeProblem = null;
    this.draw();
    try {
      const note = await post('ai/analysis', { symbols: [this.symbol] });
      this.notes = [note, ...(this.notes ?? []).filter((one) => one.id !== note.id)];
      this.shown = note;
    } catch (problem) {
      this.writeProblem = problem;
    }
    this.writing = false;
    if (!this.gone) this.draw();
  }

  draw() {
    document.title = `${t('view.notes')} · ${t('app.name')}`;
    this.drawList();
    this.drawNote();
  }

  drawList() {
    const budget = this.context.connection.session?.ai?.budget;
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
      h('span', {}, h('b', {}, titleOf(note)), h('small', {}, `${when} · ${t(sourceOf(note))}`)), h('small', {}, t('n.kept', { k: note.claims_kept })));
  }

  drawNote() {
    const note = this.shown;
    if (!note) {
      fill(this.right, h('p', { class: 'empty pad' }, this.problem ? null : t(this.notes ? 'empty.notes' : 'loading')));
      return;
    }
    const facts = factsOf(note.answer.facts);
    const table = factTable(facts);
    const light = (id) => table.querySelectorAll('tbody tr').forEach((row) => row.classList.toggle('hot', row.dataset.fact === id));
    const template = note.answer.source === 'template';
    fill(this.right,
      h('header', { class: 'pagehead' }, h('h1', {}, titleOf(note)), h('span', { class: 'mono dim' }, (note.symbols ?? []).join(' ')), h('span', { class: 'chip' }, t(sourceOf(note))), h('span', { class: 'dim' }, fullTime(note.created_at, '5m')), h('span', { class: 'grow' }),
        note.symbols?.[0] ? h('button', { class: 'btn', type: 'button', onclick: () => this.context.go({ view: 'chart', symbol: note.symbols[0], timeframe: '1d' }) }, icon('chart', 14), t('chart')) : null),
      h('div', { class: 'claims' }, note.answer.claims.map((claim) => claimOf(claim, facts, light))),
      h('p', { class: 'kept' }, h('span', {}, icon('check', 14), t('n.kept', { k: note.claims_kept })), struckOf(note)),
      table, h('p', { class: 'dim' }, t(template ? 'n.rule.t' : 'n.rule')),
      template && note.answer.reason ? h('p', { class: 'dim' }, note.answer.reason) : null);
  }

  command() {
    return false;
  }

  /** @param {string} type */
  onEvent(type) {
    if (type === 'note' || type === 'reset') this.load();
  }

  onConnection() {}
}

/** @param {any} note */
const titleOf = (note) => note.names?.join(', ') || note.name || (note.symbols ?? []).join(', ');

/** @param {any} note */
const sourceOf = (note) => (note.answer.source === 'template' ? 'n.template' : 'n.ai');

/** @param {any} note */
function struckOf(note) {
  const struck = Object.entries(note.claims_struck ?? {}).filter(([, n]) => Number(n) > 0);
  const total = struck.reduce((sum, [, n]) => sum + Number(n), 0);
  if (!total) return null;
  return h('span', { class: 'doubt' }, icon('cross', 14), t('n.struck', { s: total, r: struck.map(([reason, n]) => `${wordOr(`struck.${reason}`, reason)} ${n}`).join(' · ') }));
}

/** @param {any[]} facts */
function factTable(facts) {
  const columns = ['fact', 'value', 'asof', 'src'];
  return h('table', { class: 'grid list facts' }, h('caption', {}, t('n.facts')),
    h('thead', {}, h('tr', {}, columns.map((column) => h('th', { scope: 'col', class: column === 'value' ? 'num' : 'l' }, t(`n.${column}`))))),
    h('tbody', {}, facts.map((fact) => h('tr', { data: { fact: fact.id } }, h('th', { scope: 'row' }, fact.label ?? fact.name ?? fact.id), h('td', {}, h('b', {}, fact.text ?? String(fact.value))),
      h('td', { class: 'l mono' }, fact.as_of ?? ''), h('td', { class: 'l mono' }, typeof fact.rows === 'string' ? fact.rows : (fact.rows ?? []).join(' ')))))); 
}
