/**
 * The page as a whole: which view stands, which key does what, and what the daemon says.
 * @module
 */
import { ChartPage } from './chart-page.js';
import { Connection } from './connection.js';
import { byId } from './dom.js';
import { drawBanner, drawBar, drawFoot, drawHealth, openHelp, toast } from './frame.js';
import { get } from './api.js';
import { commandOf } from './keys.js';
import { LabelsPage } from './labels-page.js';
import { NotesPage } from './notes-page.js';
import { hashOf, routeOf, tokenOf } from './route.js';
import { ScreenerPage } from './screener-page.js';
import { openSearch } from './search.js';
import { changeSettings, loadSettings, settings } from './settings.js';
import { drawRail, readWatched, WatchPage } from './watch-page.js';
import { isWatched, toggleWatched } from './watchlist.js';
import { t } from './words.js';

/** `g` waits for its second key this long. */
const G_MS = 1200;
const RESIZE_MS = 150;
const PAGES = { chart: ChartPage, screener: ScreenerPage, watch: WatchPage, labels: LabelsPage, notes: NotesPage };
const EVENTS = ['candle', 'analysis', 'label', 'symbols', 'alert', 'note', 'watchlist', 'reset'];

const connection = new Connection();
let route = routeOf(location.hash);
/** @type {any} */
let page = null;
/** What the footer and the banner tell of the series in view. @type {any} */
let shown = null;
/** When `g` was pressed, if it was the key before. */
let gPressed = -Infinity;
/** @type {any[] | null} */
let watched = null;
let watchProblem = null;
/** The latest prices of the stocks of the rail. @type {Map<string, import('./quotes.js').Quote>} */
let quotes = new Map();

const context = {
  connection,
  /** @param {any} to @param {string | null} [focus] `data-key` of the element that has the focus afterwards */
  go(to, focus = null) {
    context.focus = focus;
    location.hash = hashOf({ timeframe: route.timeframe, ...to });
  },
  focus: /** @type {string | null} */ (null),
  /** The address follows what the view itself has changed; going back undoes that. @param {any} to */
  follow(to) {
    Object.assign(route, to);
    history.pushState(null, '', hashOf({ view: route.view, symbol: route.symbol, timeframe: route.timeframe, venue: route.venue }));
  },
  isWatched,
  /** @param {string} symbol */
  async toggleWatch(symbol) {
    const starred = await toggleWatched(symbol);
    watched = null;
    return starred;
  },
  /** The rail reads again when it stands next. */
  watchChanged() {
    watched = null;
  },
  /** The stocks of the rail where one stands. @param {HTMLElement} rail @returns {string[]} */
  railed: (rail) => (rail.childElementCount && watched ? watched.map((stock) => stock.symbol) : []),
  /** @param {HTMLElement} rail @param {string} symbol @param {{again?: boolean, quotes?: typeof quotes}} [how] */
  async watchRail(rail, symbol, how = {}) {
    quotes = how.quotes ?? quotes;
    const draw = () => drawRail(context, rail, { stocks: watched, problem: watchProblem, quotes }, symbol);
    draw();
    if (watched && !how.again) return;
    try {
      watched = await readWatched();
      watchProblem = null;
    } catch (problem) {
      watchProblem = problem;
    }
    if (rail.isConnected) draw();
    page?.drawHead?.();
  },
  /** The chart tells what it shows, for footer and banner. @param {any} chart */
  tellSeries({ reading, timeframe }) {
    const { answer, series } = reading;
    const { rows, proof } = series;
    const last = rows.findLastIndex((row) => row.final);
    shown = {
      timeframe, lastFinal: rows[last]?.ts ?? null, late: rows.slice(last + 1).filter((row) => row.gap).length, analysedTo: answer.analysis.analysed_to, dataId: answer.data_id, codeId: answer.code_id,
      proof: { ...proof, missing: rows.filter((row) => row.gap).length, revised: rows.filter((row) => row.revised).length, unproved: rows.filter((row) => row.unproved && row.final).length },
    };
    drawFoot(shown);
    drawNotices();
  },
};

function drawNotices() {
  drawHealth(connection);
  const { timeframe } = route;
  const kinds = new Set((connection.session?.health?.conditions ?? []).map((condition) => condition.kind));
  drawBanner(connection, {
    symbol: route.symbol, timeframe, lastFinal: shown?.lastFinal ?? null, analysedTo: shown?.analysedTo ?? null,
    late: timeframe === '1d' ? shown?.late ?? 0 : 0, stalled: kinds.has('data.stalled'), behind: Boolean(connection.session?.analysis?.behind),
  });
}

function drawFrame() {
  drawBar(route, connection, { search, redraw });
  drawFoot(route.view === 'chart' ? shown : null);
  drawNotices();
}

function redraw() {
  drawFrame();
  page?.redraw();
}

function search() {
  openSearch((symbol) => context.go({ view: 'chart', symbol }));
}

/** Put the view of the address on the page. */
async function show() {
  route = routeOf(location.hash);
  if (route.view === 'chart' && !route.symbol) {
    route.symbol = settings.symbol || await firstSymbol();
    if (route.symbol) history.replaceState(null, '', hashOf(route));
  }
  if (route.symbol && route.symbol !== settings.symbol) changeSettings({ symbol: route.symbol });
  byId('dialog').close();
  page?.destroy();
  shown = null;
  page = route.view === 'chart' && !route.symbol ? new WatchPage(context) : new PAGES[route.view](context, route);
  drawFrame();
  page.mount(byId('main'));
  focusAgain();
}

/** The first stock that is collected, for someone who names none. */
async function firstSymbol() {
  try {
    return (await get('stocks', { tracked: true, limit: 1 })).items[0]?.symbol ?? null;
  } catch {
    return null; // the view that then stands shows the error itself
  }
}

function focusAgain() {
  const { focus } = context;
  context.focus = null;
  if (focus) /** @type {any} */ (document.querySelector(`[data-key="${CSS.escape(focus)}"]`))?.focus();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !/^(range|checkbox|radio)$/.test(/** @type {any} */ (target).type);
  if (byId('dialog').open || event.isComposing) return;
  const command = commandOf(event, performance.now() - gPressed < G_MS);
  if (!command || (typing && command.name !== 'leave')) return;
  gPressed = command.name === 'go' ? performance.now() : -Infinity;
  if (command.name === 'enter' && target.closest('button, a, [data-row]')) return;
  if (command.name === 'candle' && /** @type {any} */ (target).type === 'range') return;
  if (run(command)) event.preventDefault();
}

/** @param {any} command */
function run(command) {
  if (command.name === 'search') search();
  else if (command.name === 'help') openHelp();
  else if (command.name === 'view') context.go({ view: command.value, symbol: route.symbol });
  else if (command.name === 'row') stepRow(command.value);
  else if (command.name !== 'go') return page?.command(command) ?? false;
  return true;
}

/** @param {number} step */
function stepRow(step) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-row]')].filter((row) => /** @type {any} */ (row).offsetParent));
  const at = rows.indexOf(/** @type {any} */ (document.activeElement));
  rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
}

function listen() {
  for (const type of EVENTS) {
    connection.addEventListener(type, (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      if (type === 'alert') connection.poll();
      if (type === 'watchlist') watched = null;
      page?.onEvent(type, detail);
    });
  }
  connection.addEventListener('change', () => {
    drawNotices();
    page?.onConnection();
  });
  connection.addEventListener('second', drawNotices);
  connection.addEventListener('back', async () => {
    const filled = await page?.reread?.();
    toast(t('away.back', { n: Math.max(0, filled ?? 0) }));
  });
  addEventListener('hashchange', show);
  addEventListener('keydown', onKey);
  let timer = 0;
  let width = innerWidth;
  addEventListener('resize', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (innerWidth !== width) redraw();
      width = innerWidth;
    }, RESIZE_MS);
  });
}

async function start() {
  loadSettings();
  const opened = tokenOf(location.hash);
  if (opened) history.replaceState(null, '', `${location.pathname}${hashOf({ symbol: opened.symbol })}`);
  route = routeOf(location.hash);
  drawFrame();
  listen();
  await connection.open(opened?.token ?? null);
  await show();
}

start();
