/**
 * The screener: saved screens and an expression on the left, what it finds at the close of one session on the right.
 * @module
 */
import { get, post } from './api.js';
import { h, icon } from './dom.js';
import { errorBox, refill, toast } from './frame.js';
import { big, changeOf, dayOf, direction, fullTime, percent, rate, won } from './numbers.js';
import { conditionText, countOf, evidenceTexts, expressionOf, GROUPS, groupsOf, inOrder, strategyAlone, strategyName } from './screens.js';
import { changeSettings, settings } from './settings.js';
import { smallCandles } from './small-charts.js';
import { ChoiceView, openingRow } from './view.js';
import { t } from './words.js';

/** Candles on a card, and the stocks asked for at once: the daemon's own bounds. */
const CARD_CANDLES = 60;
const STOCKS_AT_ONCE = 60;
/** Candles read for a card: those after the session are cut off. */
const RECENT = 120;
const SESSIONS = 250;
/** Candles after a match to which its statistic is told. */
const HORIZON = 5;
const LONGEST_NAME = 60;
const MOST_WITHIN = 250;
const EXCEPTIONS = [['too_short', 'scr.short', ''], ['stale', 'scr.stale', ' doubt'], ['failed', 'scr.fail', ' fault']];

export class ScreenerPage extends ChoiceView {
  /** @param {any} context */
  constructor(context) {
    super(context, 'screener');
    this.screens = [];
    this.strategies = new Map();
    this.groups = groupsOf(null);
    /** Name of the stored screen that is shown. */
    this.screen = '';
    /** @type {string | null} */ this.session = null;
    this.sessions = [];
    this.sessionsProblem = /** @type {any} */ (null);
    this.answer = null;
    /** What followed past matches, where the screen is one strategy. @type {any} */ this.past = null;
    this.running = false;
    this.stocks = new Map();
    this.open = '';
    this.adding = false;
    this.naming = false;
  }

  paneWord() {
    return 'scr.saved';
  }

  draw() {
    this.tell();
    this.drawBuilder();
    this.drawResults();
  }

  async load() {
    try {
      const [strategies, screens] = await Promise.all([get('strategies'), get('screens')]);
      this.strategies = new Map(strategies.items.map((strategy) => [strategy.id, strategy]));
      this.screens = screens.items;
      this.problem = null;
    } catch (problem) {
      this.problem = problem;
      if (!this.gone) this.draw();
      return;
    }
    if (this.screens.length) this.pick(this.screens[0]);
    else if (this.strategies.size) this.pick({ name: '', expression: { strategy: [...this.strategies.keys()][0] } });
    this.loadSessions();
  }

  /** The days that can be gone to, from a stock that is collected. */
  async loadSessions() {
    try {
      const [stock] = (await get('stocks', { tracked: true, limit: 1 })).items;
      if (!stock) return;
      const { candles } = await get(`candles/${stock.symbol}`, { timeframe: '1d', limit: SESSIONS });
      this.sessions = candles.ts.map(dayOf).sort();
      this.sessionsProblem = null;
    } catch (problem) {
      this.sessionsProblem = problem; // the two arrows stay off
    }
    if (!this.gone) this.drawResults();
  }

  /** @param {any} screen */
  pick(screen) {
    this.screen = screen.name;
    this.groups = groupsOf(screen.expression);
    this.naming = false;
    this.drawBuilder();
    this.run();
  }

  async run() {
    const expression = expressionOf(this.groups);
    if (!expression) return;
    this.running = true;
    this.problem = null;
    this.drawResults();
    const asked = (this.asked = (this.asked ?? 0) + 1);
    try {
      const answer = await post('screener', { expression, session: this.session });
      if (asked !== this.asked) return;
      this.answer = answer;
    } catch (problem) {
      if (asked !== this.asked) return;
      this.answer = null;
      this.problem = problem;
    }
    this.running = false;
    this.past = null;
    if (this.gone) return;
    this.drawResults();
    if (!this.answer) return;
    this.loadStocks();
    this.loadPast();
  }

  /** What followed earlier matches of one strategy, as it could be counted at the close of the session. */
  async loadPast() {
    const { answer } = this;
    const id = strategyAlone(this.groups);
    if (!id) return;
    try {
      const until = `${answer.session}T23:59:59+09:00`;
      const { out_of_sample: rows } = await get('statistics', { strategy_name: id, until });
      this.past = rows.find((row) => row.horizon === HORIZON) ?? null;
    } catch (problem) {
      if (/** @type {any} */ (problem).status !== 409) this.past = { problem };
    }
    if (!this.gone && answer === this.answer) this.drawResults();
  }

  /** Candles of the matches, in portions; a portion that fails says so on its cards. */
  async loadStocks() {
    const { answer } = this;
    const symbols = inOrder(answer.matches).map((match) => match.symbol);
    for (let at = 0; at < symbols.length && !this.gone && answer === this.answer; at += STOCKS_AT_ONCE) {
      const portion = symbols.slice(at, at + STOCKS_AT_ONCE);
      try {
        const { items } = await get('stocks', { symbol: portion, recent: RECENT, limit: STOCKS_AT_ONCE });
        for (const stock of items) this.stocks.set(stock.symbol, stock);
      } catch (problem) {
        for (const symbol of portion) this.stocks.set(symbol, { problem });
      }
      if (!this.gone) this.drawResults();
    }
  }

  // ---- left

  drawBuilder() {
    refill(this.left,
      this.screens.length ? h('section', { class: 'card' }, h('h2', {}, t('scr.saved')), h('div', { class: 'savedlist' }, this.screens.map((screen) => this.savedRow(screen)))) : null,
      h('section', { class: 'card' }, h('details', { open: innerWidth >= 768 }, h('summary', {}, t('scr.conds', { n: countOf(this.groups) })),
        GROUPS.map((group) => this.groupOf(group)), this.adderOf(), this.actionsOf())));
  }

  /** @param {any} screen */
  savedRow(screen) {
    const found = screen.new ?? 0;
    return h('button', { class: 'saved', type: 'button', data: { row: '', key: `screen-${screen.name}` }, 'aria-current': screen.name === this.screen ? 'true' : null, onclick: () => this.pick(screen) },
      h('span', {}, screen.name), found ? h('b', { class: 'new' }, t('scr.new.n', { n: found })) : null);
  }

  /** @param {string} group */
  groupOf(group) {
    const conditions = this.groups[group];
    if (!conditions.length) return null;
    return h('div', { class: `group ${group}` }, h('h3', {}, t(`scr.${group}`)), conditions.map((condition, i) => {
      const text = conditionText(condition, this.strategies);
      return h('div', { class: 'cond' }, h('span', {}, text), condition.strategy ? this.withinOf(condition) : null,
        h('button', { class: 'x', type: 'button', data: { key: `x-${group}-${i}` }, 'aria-label': `${t('close')}: ${text}`, onclick: () => this.removeCondition(group, i) }, icon('cross', 12)));
    }));
  }

  /** How many candles back a hit may lie. @param {any} condition */
  withinOf(condition) {
    const [before, after] = t('cond.within', { n: '\n' }).split('\n');
    const input = h('input', { type: 'number', min: '1', max: String(MOST_WITHIN), value: String(condition.within ?? 1), 'aria-label': t('cond.within', { n: condition.within ?? 1 }), onchange: () => {
      const within = Math.max(1, Math.min(MOST_WITHIN, Math.round(Number(input.value)) || 1));
      if (within > 1) condition.within = within;
      else delete condition.within;
    } });
    return h('label', { class: 'within' }, before, input, after);
  }

  /** @param {string} group @param {number} i */
  removeCondition(group, i) {
    this.groups = { ...this.groups, [group]: this.groups[group].filter((_, at) => at !== i) };
    this.drawBuilder();
  }

  adderOf() {
    const add = (group, id) => {
      this.groups = { ...this.groups, [group]: [...this.groups[group], { strategy: id }] };
      this.adding = false;
      this.drawBuilder();
      this.left.querySelector('[data-key="add"]')?.focus();
    };
    const select = h('select', { 'aria-label': t('scr.add'), data: { key: 'group' } }, GROUPS.map((group) => h('option', { value: group }, t(`scr.${group}`))));
    const choices = h('div', { class: 'adder' }, select, [...this.strategies.keys()].map((id) => h('button', { class: 'saved', type: 'button', data: { row: '' }, onclick: () => add(select.value, id) }, strategyName(id, this.strategies))));
    return [h('button', { class: 'btn full', type: 'button', data: { key: 'add' }, 'aria-expanded': String(this.adding), onclick: () => { this.adding = !this.adding; this.drawBuilder(); } }, icon('plus', 14), t('scr.add')), this.adding ? choices : null];
  }

  actionsOf() {
    const field = h('input', { class: 'own', type: 'text', maxLength: LONGEST_NAME, required: true, 'aria-label': t('scr.saved'), value: this.screen });
    const naming = h('form', { class: 'naming', onsubmit: (event) => { event.preventDefault(); this.save(field.value.trim()); } }, field, h('button', { class: 'btn', type: 'submit' }, t('scr.save')));
    return [
      h('div', { class: 'two' },
        h('button', { class: 'btn', type: 'button', data: { key: 'save' }, disabled: !countOf(this.groups), onclick: () => { this.naming = !this.naming; this.drawBuilder(); this.left.querySelector('.naming input')?.focus(); } }, t('scr.save')),
        h('button', { class: 'btn prime', type: 'button', data: { key: 'run' }, disabled: !countOf(this.groups), onclick: () => this.run() }, t('scr.run'))),
      this.naming ? naming : null,
    ];
  }

  /** @param {string} name */
  async save(name) {
    if (!name) return;
    try {
      await post('screens', { name, expression: expressionOf(this.groups) });
      this.screens = (await get('screens')).items;
      this.screen = name;
      this.naming = false;
    } catch (problem) {
      toast(`${t('error.title')} ${/** @type {any} */ (problem).message}`);
    }
    this.draw();
  }

  // ---- right

  drawResults() {
    const { answer } = this;
    const title = this.screen || (countOf(this.groups) === 1 ? conditionText(GROUPS.flatMap((g) => this.groups[g])[0], this.strategies) : t('view.screener'));
    refill(this.right, this.headOf(title), answer ? this.stripOf(answer) : h('div', {}), this.bodyOf());
  }

  /** @param {string} title */
  headOf(title) {
    const session = this.answer?.session ?? this.session;
    const at = session ? this.sessions.indexOf(session) : -1;
    const step = (by) => h('button', { class: 'ib', type: 'button', data: { key: `day-${by}` }, disabled: at < 0 || !this.sessions[at + by], 'aria-label': t(by < 0 ? 'asof.prev' : 'asof.next'), onclick: () => { this.session = this.sessions[at + by]; this.run(); } }, icon(by < 0 ? 'left' : 'right'));
    return h('header', { class: 'pagehead' }, h('h1', {}, title), h('span', { class: 'grow' }),
      session ? h('div', { class: 'datepick' }, step(-1), h('b', {}, t('scr.asof', { d: fullTime(instantOf(session), '1d') })), step(1)) : null,
      h('div', { class: 'seg', role: 'group' }, ['cards', 'rows'].map((look) => h('button', { type: 'button', data: { key: look }, 'aria-pressed': String(settings.screener === look), onclick: () => { changeSettings({ screener: /** @type {any} */ (look) }); this.drawResults(); } }, t(`scr.${look}`)))),
      this.sessionsProblem ? errorBox(this.sessionsProblem, () => this.loadSessions()) : null);
  }

  /** @param {any} answer */
  stripOf({ counts, matches, exceptions }) {
    const found = matches.filter((match) => match.is_new).length;
    return h('div', { class: 'strip' },
      h('b', { class: 'found' }, t('scr.found', { n: won(matches.length) })), found ? h('span', { class: 'new' }, t('scr.new.n', { n: found })) : null,
      h('span', { class: 'sum' }, t('scr.sum', { u: won(counts.universe), e: won(counts.evaluated), x: won(exceptions.length) })),
      EXCEPTIONS.filter(([reason]) => counts[reason]).map(([reason, word, look]) => h('button', { class: `link${look}`, type: 'button', data: { key: reason }, 'aria-expanded': String(this.open === reason), onclick: () => { this.open = this.open === reason ? '' : reason; this.drawResults(); } }, t(word, { n: counts[reason] }))),
      pastOf(this.past),
      this.open ? h('ul', { class: 'exceptions' }, exceptions.filter((one) => one.reason === this.open).map((one) => h('li', {}, h('b', {}, one.name), ' ', h('span', { class: 'mono' }, one.symbol), one.detail ? ` · ${one.detail}` : ''))) : null);
  }

  bodyOf() {
    if (this.problem) return h('div', { class: 'broken' }, errorBox(this.problem, () => (this.strategies.size ? this.run() : this.load())));
    if (!this.answer || this.running) return h('p', { class: 'empty pad' }, countOf(this.groups) || this.running || !this.strategies.size ? t('loading') : t('scr.add'));
    const matches = inOrder(this.answer.matches);
    if (!matches.length) return h('p', { class: 'empty pad' }, t('empty.screen', { d: fullTime(instantOf(this.answer.session), '1d') }));
    return settings.screener === 'cards' ? h('div', { class: 'cards' }, matches.map((match) => this.cardOf(match))) : this.rowsOf(matches);
  }

  /** Candles up to the session, and what a card tells of them. @param {any} match */
  factsOf(match) {
    const stock = this.stocks.get(match.symbol);
    const recent = stock?.recent;
    if (!recent) return { stock, columns: null, since: -1, price: null, change: 0, starts: [], texts: evidenceTexts(match.evidence, [], this.strategies) };
    const end = recent.ts.filter((ts) => dayOf(ts) <= this.answer.session).length;
    const from = Math.max(0, end - CARD_CANDLES);
    const columns = Object.fromEntries(['ts', 'open', 'high', 'low', 'close', 'volume'].map((name) => [name, recent[name].slice(from, end)]));
    const closes = columns.close;
    return {
      stock, columns, since: columns.ts.findIndex((ts) => ts >= match.since), price: closes.at(-1) ?? null, starts: columns.ts,
      change: closes.length > 1 ? changeOf(closes.at(-2), closes.at(-1)) : 0, texts: evidenceTexts(match.evidence, columns.ts, this.strategies),
    };
  }

  /** @param {any} match */
  cardOf(match) {
    const facts = this.factsOf(match);
    return h('button', { class: `match${match.is_new ? ' isnew' : ''}`, type: 'button', data: { row: '', key: `match-${match.symbol}` }, onclick: () => this.openChart(match) },
      h('span', { class: 'mh' }, h('b', {}, match.name), h('small', { class: 'mono' }, match.symbol), h('span', { class: 'grow' }), sinceOf(match, facts)),
      facts.stock?.problem ? h('span', { class: 'fault' }, t('error.title')) : facts.columns?.close.length ? smallCandles(/** @type {any} */ (facts.columns), facts.since) : h('span', { class: 'mini' }),
      h('span', { class: 'mp' }, facts.price === null ? null : [h('b', {}, won(facts.price)), h('span', { class: direction(facts.change) }, percent(facts.change))], h('span', { class: 'grow' }), match.score === null ? null : h('small', {}, `${t('scr.score')} ${match.score.toFixed(2)}`)),
      h('span', { class: 'ev' }, facts.texts.map((text) => h('span', {}, text))));
  }

  /** @param {any[]} matches */
  rowsOf(matches) {
    const head = [['lab.c.stock', 'l'], ['scr.new', 'l'], ['tab.c', 'num'], ['w.chg', 'num'], ['w.vol', 'num c-vol'], ['scr.score', 'num']];
    return h('div', { class: 'tablebox' }, h('table', { class: 'grid list' }, h('thead', {}, h('tr', {}, head.map(([word, look]) => h('th', { scope: 'col', class: look }, t(word))))),
      h('tbody', {}, matches.map((match) => {
        const facts = this.factsOf(match);
        return openingRow(`row-${match.symbol}`, () => this.openChart(match),
          h('th', { scope: 'row' }, h('b', {}, match.name), h('small', { class: 'mono' }, match.symbol)), h('td', { class: 'l' }, sinceOf(match, facts)),
          h('td', {}, facts.price === null ? '–' : won(facts.price)), h('td', { class: direction(facts.change) }, facts.price === null ? '–' : percent(facts.change)),
          h('td', { class: 'c-vol' }, facts.columns ? big(facts.columns.volume.at(-1)) : '–'), h('td', {}, match.score === null ? '–' : match.score.toFixed(2)));
      }))));
  }

  /** @param {any} match */
  openChart(match) {
    this.context.go({ view: 'chart', symbol: match.symbol, timeframe: '1d', day: this.answer.session });
  }

}

/** @param {any} match @param {any} facts */
function sinceOf(match, { starts }) {
  if (match.is_new) return h('span', { class: 'new' }, t('scr.new'));
  const days = starts.filter((ts) => ts >= match.since).length;
  return days ? h('small', {}, t('scr.since', { n: days })) : null;
}

/** @param {any} past */
function pastOf(past) {
  if (!past) return null;
  if (past.problem) return h('span', { class: 'past fault' }, t('error.title'));
  const { rise, n } = past;
  return h('span', { class: 'past' }, rise ? t('scr.stat', { n, p: rate(rise.value), b: rate(rise.base) }) : t('stat.few', { n }));
}

/** @param {string} day */
const instantOf = (day) => Date.parse(`${day}T00:00:00+09:00`) / 1000;
