/**
 * The address: `#chart/000660/1d?venue=nxt`, and the one-time token that opens the session.
 * @module
 */

export const VIEWS = ['chart', 'screener', 'watch', 'labels', 'notes'];
export const TIMEFRAMES = ['5m', '30m', '1h', '1d', '1w'];
/** KRX is what an address without a venue means. */
export const VENUES = ['KRX', 'NXT', 'UNIFIED'];

/**
 * @typedef {object} Route
 * @property {string} view @property {string | null} symbol @property {string} timeframe
 * @property {string | null} day the session at which the chart is opened, as 2024-12-16
 * @property {string} venue whose trades the chart is of
 */

/** @param {string} hash @returns {Route} */
export function routeOf(hash) {
  const [path, query = ''] = hash.replace(/^#/, '').split('?');
  const [view, symbol, timeframe] = path.split('/');
  const parameters = new URLSearchParams(query);
  const day = parameters.get('at');
  const venue = (parameters.get('venue') ?? '').toUpperCase();
  return {
    view: VIEWS.includes(view) ? view : 'chart',
    symbol: symbol && /^[0-9A-Z]{6}$/.test(symbol) ? symbol : null,
    timeframe: TIMEFRAMES.includes(timeframe) ? timeframe : '1d',
    day: day && /^\d{4}-\d{2}-\d{2}$/.test(day) ? day : null,
    venue: VENUES.includes(venue) ? venue : 'KRX',
  };
}

/** @param {Partial<Route>} route */
export function hashOf({ view = 'chart', symbol = null, timeframe = '1d', day = null, venue = 'KRX' }) {
  const path = symbol ? `${view}/${symbol}/${timeframe}` : view;
  const query = [day ? `at=${day}` : '', venue === 'KRX' ? '' : `venue=${venue.toLowerCase()}`].filter(Boolean).join('&');
  return `#${path}${query ? `?${query}` : ''}`;
}

/** @param {string} hash @returns {{token: string, symbol: string | null} | null} */
export function tokenOf(hash) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const token = parameters.get('token');
  return token ? { token, symbol: parameters.get('symbol') } : null;
}
