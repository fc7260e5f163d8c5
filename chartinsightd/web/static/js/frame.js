/**
 * What stands around every view: bar, banner, footer, tab bar, toast, live region, dialogs.
 * @module
 */
import { byId, fill, h, icon } from './dom.js';
import { HELP } from './keys.js';
import { clock, fullTime } from './numbers.js';
import { hashOf, VIEWS } from './route.js';
import { changeSettings, PALETTES, settings } from './settings.js';
import { t } from './words.js';

const VIEW_ICONS = { chart: 'chart', screener: 'filter', watch: 'star', labels: 'tag', notes: 'note' };
const TOAST_MS = 4000;

/**
 * @typedef {object} Place where one is, for the links
 * @property {string} view @property {string | null} symbol @property {string} timeframe
 */

/** Say a text to a screen reader, once. @param {string} text */
export function say(text) {
  byId('live').textContent = text;
}

let toastTimer = 0;

/** @param {string} text */
export function toast(text) {
  const box = byId('toast');
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { box.hidden = true; }, TOAST_MS);
}

/** @param {Place} place @param {any} connection @param {{search: () => void, redraw: () => void}} act */
export function drawBar(place, connection, act) {
  const dark = settings.theme === 'dark';
  fill(byId('bar'),
    h('a', { class: 'brand', href: hashOf({ ...place, view: 'chart' }), 'aria-label': t('app.name') }, icon('wave', 20), h('span', {}, t('app.name'))),
    h('nav', { class: 'tabs', 'aria-label': t('app.name') }, VIEWS.map((view) => viewLink(view, place))),
    h('button', { class: 'search', type: 'button', onclick: act.search, 'aria-label': t('search.label') }, icon('search'), h('span', {}, t('search.hint')), h('kbd', {}, '/')),
    h('span', { class: 'health', id: 'health' }),
    h('button', { class: 'ib', type: 'button', 'aria-label': t(dark ? 'theme.light' : 'theme.dark'), onclick: () => change({ theme: dark ? 'light' : 'dark' }, act) }, icon(dark ? 'sun' : 'moon')),
    h('button', { class: 'ib txt', type: 'button', 'aria-label': t('lang.other'), onclick: () => changeLanguage(act) }, settings.language === 'ko' ? 'EN' : '한'),
    h('button', { class: 'ib', type: 'button', 'aria-label': t('settings'), onclick: () => openSettings(act) }, icon('sliders')),
    h('button', { class: 'ib wide', type: 'button', 'aria-label': t('help'), onclick: openHelp }, icon('keys')));
  const tabs = byId('tabbar');
  tabs.setAttribute('aria-label', t('app.name'));
  fill(tabs, VIEWS.map((view) => viewLink(view, place, icon(VIEW_ICONS[view], 20))));
  byId('skip').textContent = t('app.skip');
  drawHealth(connection);
}

/** @param {string} view @param {Place} place @param {Node} [picture] */
function viewLink(view, place, picture) {
  return h('a', { href: hashOf({ ...place, view }), 'aria-current': place.view === view ? 'page' : null }, picture ?? null, h('span', {}, t(`view.${view}`)));
}

/** @param {Partial<import('./settings.js').Settings>} what @param {{redraw: () => void}} act */
function change(what, act) {
  changeSettings(what);
  act.redraw();
}

/** @param {{redraw: () => void}} act */
function changeLanguage(act) {
  change({ language: settings.language === 'ko' ? 'en' : 'ko' }, act);
}

/** The line to the daemon: a word and a time, never a dot alone. @param {any} connection */
export function drawHealth(connection) {
  const box = byId('health');
  if (!box) return;
  const bad = connection.state === 'away' || connection.state === 'ended';
  const open = connection.session?.is_open;
  const word = { away: 'health.away', ended: 'health.session', opening: 'loading', live: open ? 'health.live' : 'health.closed' }[connection.state];
  const time = bad ? connection.lastHeard : connection.now();
  const key = `${word} ${time} ${settings.language}`;
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.className = `health${bad ? ' bad' : open ? '' : ' closed'}`;
  fill(box, bad ? icon('plug', 14) : h('i', { class: 'dot' }), h('span', {}, t(word)), time ? h('time', {}, clock(time)) : null);
}

/**
 * One banner at most, the worst: session ended, daemon away, data late, analysis behind.
 * @param {any} connection @param {any} about the series in view, see `drawNotices`
 */
export function drawBanner(connection, about) {
  const box = byId('banner');
  const notice = noticeOf(connection, about);
  document.documentElement.toggleAttribute('data-away', connection.state === 'away' || connection.state === 'ended');
  const key = notice ? JSON.stringify([notice.kind, notice.body, notice.title]) : '';
  if (box.dataset.key === key) return;
  const focused = box.contains(document.activeElement);
  box.dataset.key = key;
  box.hidden = !notice;
  if (!notice) return;
  box.className = `banner${notice.mild ? ' mild' : ''}`;
  fill(box, icon(notice.mild ? 'clock' : 'plug', 18),
    h('div', {}, h('strong', {}, notice.title), ' ', h('p', {}, notice.body), notice.command ? h('code', {}, notice.command) : null),
    notice.retry ? h('button', { class: 'btn', type: 'button', onclick: () => connection.retry() }, t('away.retry')) : null);
  if (focused) box.querySelector('button')?.focus();
}

/** @param {any} connection @param {any} about */
function noticeOf(connection, about) {
  if (connection.state === 'ended') {
    return { kind: 'session', title: t('session.title'), body: t('session.body'), command: `chartinsightctl radar${about.symbol ? ` ${about.symbol}` : ''}` };
  }
  if (connection.state === 'away') {
    const time = connection.lastHeard ? clock(connection.lastHeard) : '–';
    return { kind: 'away', title: t('away.title'), body: t('away.body', { t: time, n: Math.max(0, connection.wait) }), retry: true };
  }
  const mild = (kind, title, at) => ({ kind, mild: true, title, body: t(`${kind}.body`, { d: fullTime(at, about.timeframe) }) });
  const late = lateWord(about);
  if (late && about.lastFinal) return mild('stale', late, about.lastFinal);
  if (about.behind && about.analysedTo) return mild('behind', t('behind.title'), about.analysedTo);
  return null;
}

/** How late the data in view are, in words; empty when they are not. @param {{late: number, stalled: boolean}} about */
function lateWord({ late, stalled }) {
  if (late === 1) return t('stale.title');
  if (late > 1) return t('stale.sessions', { n: late });
  return stalled ? t('stale.stalled') : '';
}

/** @param {{proof: any, dataId: string, codeId: string} | null} about the series in view */
export function drawFoot(about) {
  const { proof } = about ?? {};
  const doubt = (key, n) => (n ? h('span', { class: 'doubt' }, t(key, { n })) : null);
  fill(byId('foot'),
    proof && proof.sessions !== null ? h('span', {}, t('proof.summary', { a: proof.proved, b: proof.sessions })) : null,
    proof ? [doubt('proof.gap', proof.missing), doubt('proof.rev', proof.revised), doubt('proof.unproved', proof.unproved)] : null,
    h('span', { class: 'grow' }),
    about ? h('span', { class: 'mono' }, t('foot.ids', { d: about.dataId.slice(0, 8), c: about.codeId.slice(0, 8) })) : null,
    h('span', {}, t('foot.kst')),
    h('span', {}, t('foot.by'), ' ', h('a', { href: 'https://www.tradingview.com/', rel: 'noreferrer', target: '_blank' }, 'TradingView Lightweight Charts™')));
}

/** @param {string} label @param {...any} kids */
export function openDialog(label, ...kids) {
  const dialog = byId('dialog');
  fill(dialog, ...kids);
  dialog.setAttribute('aria-label', label);
  // A block: a handler that answers false would undo the click inside.
  dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
  if (!dialog.open) dialog.showModal();
  return dialog;
}

/** @param {string} title */
export function dialogHead(title) {
  return h('header', {}, h('h2', {}, title), h('button', { class: 'ib', type: 'button', 'aria-label': t('close'), onclick: () => byId('dialog').close() }, icon('cross')));
}

export function openHelp() {
  const keys = HELP.map(([strokes, word]) => [h('dt', {}, strokes.split(/\s{2,}/).map((stroke) => h('kbd', {}, stroke))), h('dd', {}, t(word))]);
  openDialog(t('help'), dialogHead(t('help')), h('dl', { class: 'keys' }, keys), h('p', { class: 'dim' }, t('k.note')));
}

/** @param {{redraw: () => void}} act */
function openSettings(act) {
  const other = h('button', { class: 'btn only-narrow', type: 'button', onclick: () => { byId('dialog').close(); changeLanguage(act); } }, t('lang.other'));
  openDialog(t('settings'), dialogHead(t('settings')), other, PALETTES.map((palette) => h('label', { class: 'radio' },
    h('input', { type: 'radio', name: 'palette', checked: settings.palette === palette, onchange: () => change({ palette }, act) }),
    h('span', {}, t(`palette.${palette}`)))));
}

/** The box of a part that failed: what, what to do, and that the rest is well. @param {any} problem @param {() => void} again */
export function errorBox(problem, again) {
  const told = problem.isOfDatabase ? t('error.db') : [problem.message, problem.remedy].filter(Boolean).join(' ');
  return h('div', { class: 'error', role: 'alert' }, icon('alert', 18), h('div', {}, h('b', {}, t('error.title')),
    told ? h('p', {}, told) : null, h('p', { class: 'dim' }, t('error.part')),
    h('button', { class: 'btn', type: 'button', onclick: again }, t('error.retry'))));
}

/** Put children in the place of those there; the focus stays on the element of the same `data-key`. @param {Element} parent @param {...any} kids */
export function refill(parent, ...kids) {
  const active = /** @type {any} */ (document.activeElement);
  const key = parent.contains(active) ? active.dataset?.key : null;
  fill(parent, ...kids);
  if (key) /** @type {any} */ (parent.querySelector(`[data-key="${CSS.escape(key)}"]`))?.focus();
}
