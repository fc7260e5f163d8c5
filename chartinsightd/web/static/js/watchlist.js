/**
 * The watchlist of the daemon: the same groups as on the dashboard and in the command. Every change is the daemon's
 * answer, so that no surface shows an order that another one does not.
 * @module
 */
import { get, post } from './api.js';
import { changeSettings, settings } from './settings.js';
import { t } from './words.js';

/** @typedef {{name: string, stocks: {symbol: string, name: string}[]}} Group */

/** @type {Group[] | null} null: not read yet */
let groups = null;

/** @param {{groups: Group[]}} answer */
function take(answer) {
  groups = answer.groups;
  return groups;
}

/** The groups in their order. Stars that an earlier page kept in this browser move in. */
export async function readGroups() {
  if (!settings.watch?.length) return take(await get('watchlist'));
  const moved = await changeWatchlist('add', { symbols: settings.watch });
  changeSettings({ watch: null });
  return moved;
}

/** Change something; answers the groups as they are then. @param {'add' | 'remove' | 'move' | 'groups'} what @param {any} how */
export async function changeWatchlist(what, how) {
  return take(await post(`watchlist/${what}`, how));
}

/** The codes of some groups, each once. @param {Group[]} some */
export const codesOf = (some) => [...new Set(some.flatMap((group) => group.stocks.map((stock) => stock.symbol)))];

/** The first group has no name until its owner gives it one. @param {Group} group */
export const nameOf = (group) => group.name || t('view.watch');

/** @param {string} symbol */
export const isWatched = (symbol) => groups !== null && codesOf(groups).includes(symbol);

/** Put a stock into the watchlist, or take it out; returns whether it is in. @param {string} symbol */
export async function toggleWatched(symbol) {
  if (groups === null) await readGroups();
  await changeWatchlist(isWatched(symbol) ? 'remove' : 'add', { symbols: [symbol] });
  return isWatched(symbol);
}
