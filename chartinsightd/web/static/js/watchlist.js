/**
 * The watchlist of the daemon: the same groups as on the dashboard and in the command.
 * @module
 */
import { get, post } from './api.js';
import { changeSettings, settings } from './settings.js';

/** @type {string[] | null} the watched codes, each once; null: not read yet */
let codes = null;

/** @param {{groups: {stocks: {symbol: string}[]}[]}} answer */
function take(answer) {
  codes = [...new Set(answer.groups.flatMap((group) => group.stocks.map((stock) => stock.symbol)))];
  return codes;
}

/** The watched codes in the order of their groups. Stars that an earlier page kept in this browser move in. */
export async function readWatchlist() {
  if (!settings.watch?.length) return take(await get('watchlist'));
  const moved = take(await post('watchlist/add', { symbols: settings.watch }));
  changeSettings({ watch: null });
  return moved;
}

/** @param {string} symbol */
export const isWatched = (symbol) => codes?.includes(symbol) ?? false;

/** Put a stock into the watchlist, or take it out; returns whether it is in. @param {string} symbol */
export async function toggleWatched(symbol) {
  if (codes === null) await readWatchlist();
  take(await post(isWatched(symbol) ? 'watchlist/remove' : 'watchlist/add', { symbols: [symbol] }));
  return isWatched(symbol);
}
