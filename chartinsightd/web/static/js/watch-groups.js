/**
 * The groups over the watchlist: which one is shown, and the line in which its owner changes them.
 * @module
 */
import { h, icon } from './dom.js';
import { openSearch } from './search.js';
import { t } from './words.js';
import { nameOf } from './watchlist.js';

const LONGEST_NAME = 40;
const BEHIND_ALL = 1000;

/** One stop of the tab key, arrows inside; with Shift an arrow moves the group. @param {any} page the watchlist's view */
export function groupTabs(page) {
  const { groups, settings } = page;
  if (!groups || groups.length < 2) return null;
  const names = [null, ...groups.map((group) => group.name)];
  const onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.shiftKey) moveGroup(page, step);
    else page.showGroup(names[(names.indexOf(settings.group) + step + names.length) % names.length], true);
  };
  const tab = (name, word, count) => h('button', {
    type: 'button', role: 'radio', 'aria-checked': String(settings.group === name), tabIndex: settings.group === name ? 0 : -1,
    data: { key: keyOf(name) }, onclick: () => page.showGroup(name, true),
  }, word, h('span', { class: 'count' }, String(count)));
  return h('div', { class: 'seg groups', role: 'radiogroup', 'aria-label': t('watch.groups'), onkeydown },
    tab(null, t('watch.all'), page.count), groups.map((group) => tab(group.name, nameOf(group), group.stocks.length)));
}

/** @param {string | null} name */
export const keyOf = (name) => (name === null ? 'group-all' : `group:${name}`);

/** @param {any} page @param {number} step */
function moveGroup(page, step) {
  const at = page.groups.findIndex((group) => group.name === page.settings.group);
  const place = at + step;
  if (at >= 0 && place >= 0 && place < page.groups.length) page.change('groups', { name: page.settings.group, place });
}

/** The line below the tabs while one edits. @param {any} page */
export function editLine(page) {
  const { group, asking } = page;
  if (!page.editing) return null;
  if (asking) return h('form', { class: 'editline', onsubmit: (event) => answer(event, page) }, asking === 'remove' ? removing(page) : naming(page), cancel(page));
  return h('div', { class: 'editline' },
    group ? button('add', 'watch.stock', 'plus', () => openSearch((symbol) => page.change('add', { symbols: [symbol], group: group.name }))) : null,
    button('new', 'watch.group.new', 'plus', () => page.ask('new')),
    group ? button('rename', 'watch.group.rename', 'pen', () => page.ask('rename')) : null,
    group && page.groups.length > 1 ? button('remove', 'watch.group.remove', 'cross', () => page.ask('remove')) : null,
    group ? null : h('span', { class: 'dim' }, t('watch.choose')));
}

/** @param {string} key @param {string} word @param {any} picture @param {() => void} press */
const button = (key, word, picture, press) => h('button', { class: 'btn', type: 'button', data: { key: `edit-${key}` }, onclick: press }, icon(picture, 14), t(word));

/** @param {any} page */
const cancel = (page) => h('button', { class: 'btn', type: 'button', onclick: () => page.ask(null) }, t('lab.cancel'));

/** @param {any} page */
function naming(page) {
  const value = page.asking === 'rename' ? page.group.name : '';
  return [h('input', { class: 'filter', name: 'name', value, maxLength: LONGEST_NAME, required: true, 'aria-label': t('watch.group.name'), placeholder: t('watch.group.name') }),
    h('button', { class: 'btn prime' }, t('lab.save'))];
}

/** @param {any} page */
function removing({ group }) {
  return [h('span', {}, t('watch.group.ask', { g: nameOf(group), n: group.stocks.length })), h('button', { class: 'btn prime', name: 'yes' }, t('watch.group.remove'))];
}

/** @param {SubmitEvent} event @param {any} page */
async function answer(event, page) {
  event.preventDefault();
  const { asking, group } = page;
  const name = /** @type {any} */ (event.target).elements.name?.value.trim();
  if (asking !== 'remove' && !name) return;
  const how = { new: { name }, rename: { name: group?.name, new_name: name }, remove: { name: group?.name, remove: true } }[asking];
  if (await page.change('groups', how)) page.showGroup(asking === 'remove' ? null : name, true);
}

/** What an edited row offers: up, down, another group, out. @param {any} page @param {any} stock @param {number} at @param {number} count */
export function rowTools(page, stock, at, count) {
  const { group } = page;
  const tool = (key, word, picture, off, press) => h('button', { class: 'ib', type: 'button', disabled: off, data: { key: `${key}-${stock.symbol}` }, 'aria-label': t(word, { s: stock.name }), onclick: press }, icon(picture));
  const others = page.groups.filter((one) => one !== group);
  const move = (event) => page.change('move', { symbol: stock.symbol, group: group.name, to_group: event.target.value, place: BEHIND_ALL });
  return h('td', { class: 'rowtools' },
    others.length ? h('select', { 'aria-label': t('watch.group.of', { s: stock.name }), onchange: move },
      page.groups.map((one) => h('option', { value: one.name, selected: one === group }, nameOf(one)))) : null,
    tool('up', 'watch.up', 'up', at === 0, () => page.moveStock(stock.symbol, -1)),
    tool('down', 'watch.down', 'below', at === count - 1, () => page.moveStock(stock.symbol, 1)),
    tool('out', 'watch.out', 'cross', false, () => page.change('remove', { symbols: [stock.symbol], group: group.name })));
}
