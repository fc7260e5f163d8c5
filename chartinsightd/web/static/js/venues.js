/**
 * Where a stock is collected beside KRX, in lists of stocks.
 * @module
 */
import { h } from './dom.js';
import { hashOf, VENUES } from './route.js';
import { t } from './words.js';

/** @param {{venues?: string[]}} stock @returns {string[]} */
const others = (stock) => VENUES.filter((venue) => venue !== 'KRX' && stock.venues?.includes(venue));

/** @param {{venues?: string[]}} stock */
export const otherVenues = (stock) => others(stock).map((venue) => t(`venue.${venue}`));

/** Ways to its charts of those venues. @param {{symbol: string, name: string, venues?: string[]}} stock */
export function venueLinks(stock) {
  return others(stock).map((venue) => {
    const word = t(`venue.${venue}`);
    const href = hashOf({ symbol: stock.symbol, venue });
    return h('a', { class: 'chip', href, 'aria-label': `${stock.name} ${word}`, data: { key: `${stock.symbol}-${venue}` }, onclick: (event) => event.stopPropagation() }, word);
  });
}
