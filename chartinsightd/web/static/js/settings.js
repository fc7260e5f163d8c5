/**
 * How the page looks, kept in this browser: theme, language, palette, layers. No candle is ever kept there.
 * @module
 */
import { setLanguage } from './words.js';
import { forgetTokens } from './dom.js';

const KEY = 'chartinsight.radar';
export const LAYERS = ['points', 'secondary', 'confirm', 'legs', 'trend', 'patterns', 'labels', 'proof'];
export const INDICATORS = ['ma20', 'ma60', 'rsi'];
export const PALETTES = ['kr', 'safe', 'west'];

/**
 * @typedef {object} Settings
 * @property {'dark' | 'light'} theme @property {'ko' | 'en'} language @property {string} palette
 * @property {Record<string, boolean>} layers @property {boolean} adjusted
 * @property {string[] | null} watch codes that an earlier page starred here; null once they are in the daemon's watchlist
 * @property {string | null} group of the watchlist that is shown; null: all
 * @property {'cards' | 'rows'} screener @property {string} symbol the stock looked at last
 */

/** @returns {Settings} */
function defaults() {
  const light = matchMedia('(prefers-color-scheme: light)').matches;
  const language = navigator.language.startsWith('ko') || !navigator.language ? 'ko' : 'en';
  const layers = Object.fromEntries([...LAYERS, ...INDICATORS].map((name) => [name, true]));
  return { theme: light ? 'light' : 'dark', language, palette: 'kr', layers, adjusted: true, watch: null, group: null, screener: 'cards', symbol: '' };
}

/** @type {Settings} */
export const settings = defaults();

/** Read what was kept; what cannot be read is as if nothing had been kept. */
export function loadSettings() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    Object.assign(settings, kept, { layers: { ...settings.layers, ...kept.layers } });
  } catch {
    localStorage.removeItem(KEY);
  }
  apply();
}

/** @param {Partial<Settings>} change */
export function changeSettings(change) {
  Object.assign(settings, change);
  localStorage.setItem(KEY, JSON.stringify(settings));
  apply();
}

function apply() {
  const root = document.documentElement;
  root.lang = settings.language;
  root.dataset.theme = settings.theme;
  root.dataset.palette = settings.palette;
  setLanguage(settings.language);
  forgetTokens();
}
