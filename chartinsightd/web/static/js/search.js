/**
 * Finding a stock by code, part of its name or 초성; the daemon ranks.
 * @module
 */
import { get } from './api.js';
import { byId, fill, h, icon } from './dom.js';
import { errorBox, openDialog } from './frame.js';
import { otherVenues } from './venues.js';
import { t } from './words.js';

const SHOWN = 8;

/** @param {(symbol: string) => void} open */
export function openSearch(open) {
  const list = h('ul', { class: 'results', role: 'listbox', id: 'results', 'aria-label': t('search.label') });
  const input = h('input', { type: 'search', placeholder: t('search.hint'), 'aria-label': t('search.label'), autocomplete: 'off', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'results' });
  const state = { asked: 0, at: 0 };
  const choose = (symbol) => {
    byId('dialog').close();
    open(symbol);
  };
  const show = () => find(input.value.trim(), state, list, choose);
  input.addEventListener('input', show);
  input.addEventListener('keydown', (event) => walk(event, state, list));
  openDialog(t('search.label'), h('div', { class: 'searchbox' }, icon('search', 18), input), list);
  show();
  input.focus();
}

/** @param {string} words @param {{asked: number, at: number}} state @param {any} list @param {(symbol: string) => void} choose */
async function find(words, state, list, choose) {
  const asked = (state.asked += 1);
  let items;
  try {
    items = (await get('stocks', words ? { q: words, limit: SHOWN } : { tracked: true, limit: SHOWN })).items;
  } catch (problem) {
    if (asked === state.asked) fill(list, h('li', { class: 'none' }, errorBox(problem, () => find(words, state, list, choose))));
    return;
  }
  if (asked !== state.asked) return; // an answer that comes late belongs to older words
  state.at = 0;
  fill(list, items.length ? items.map((stock, i) => resultOf(stock, i, choose)) : h('li', { class: 'none' }, t('search.none', { q: words })));
}

/** @param {any} stock @param {number} i @param {(symbol: string) => void} choose */
function resultOf(stock, i, choose) {
  return h('li', { role: 'option', id: `result-${i}`, 'aria-selected': String(i === 0), onclick: () => choose(stock.symbol) },
    h('b', {}, stock.name), h('span', { class: 'mono' }, stock.symbol), h('span', {}, [stock.market, ...otherVenues(stock)].join(' · ')));
}

/** @param {KeyboardEvent} event @param {{at: number}} state @param {any} list */
function walk(event, state, list) {
  const options = [...list.querySelectorAll('[role=option]')];
  if (event.key === 'Enter' && !event.isComposing) options[state.at]?.click();
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  event.preventDefault();
  state.at = Math.max(0, Math.min(options.length - 1, state.at + (event.key === 'ArrowDown' ? 1 : -1)));
  options.forEach((option, i) => option.setAttribute('aria-selected', String(i === state.at)));
  options[state.at]?.scrollIntoView({ block: 'nearest' });
  /** @type {any} */ (event.target).setAttribute('aria-activedescendant', `result-${state.at}`);
}
