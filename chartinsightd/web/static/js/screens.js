/**
 * A screen's expression as the builder shows it: three groups of conditions. Nothing here touches the page.
 * @module
 */
import { big, won } from './numbers.js';
import { t, wordOr } from './words.js';

export const GROUPS = ['all', 'any', 'not'];

/** @typedef {Record<string, any[]>} Groups */

/**
 * @param {any} expression
 * @returns {Groups} an expression that is no group is the only condition of `all`
 */
export function groupsOf(expression) {
  const group = expression && GROUPS.some((name) => name in expression) ? expression : { all: expression ? [expression] : [] };
  return Object.fromEntries(GROUPS.map((name) => [name, listOf(group[name])]));
}

/** @param {any} conditions */
const listOf = (conditions) => (conditions === undefined ? [] : Array.isArray(conditions) ? conditions : [conditions]);

/** @param {Groups} groups @returns {any} null when there is no condition */
export function expressionOf(groups) {
  const used = GROUPS.filter((name) => groups[name].length);
  return used.length ? Object.fromEntries(used.map((name) => [name, groups[name]])) : null;
}

/** @param {Groups} groups */
export const countOf = (groups) => GROUPS.reduce((total, name) => total + groups[name].length, 0);

/** The strategy of a screen that asks for its hits of the newest candle and nothing else; statistics are of those. @param {Groups} groups */
export function strategyAlone(groups) {
  const [condition] = groups.all;
  const plain = condition?.strategy && !condition.within && !Object.keys(condition.params ?? {}).length;
  return countOf(groups) === 1 && plain ? condition.strategy : null;
}

/** @param {string} id @param {Map<string, any>} strategies */
export const strategyName = (id, strategies) => wordOr(`strategy.${id}`, strategies.get(id)?.title ?? id);

/** A condition in words, without its `within`. @param {any} condition @param {Map<string, any>} strategies @returns {string} */
export function conditionText(condition, strategies) {
  if (condition.strategy) return [strategyName(condition.strategy, strategies), ...parametersOf(condition)].join(' · ');
  if (condition.fact === 'market') return t('cond.market', { m: condition.is });
  if (condition.fact) return boundsOf(condition);
  return GROUPS.flatMap((name) => listOf(condition[name]).map((one) => `${t(`scr.${name}`)}: ${conditionText(one, strategies)}`)).join(' · ');
}

/** Parameters of a condition that differ from the strategy's own. @param {any} condition */
function parametersOf(condition) {
  return Object.entries(condition.params ?? {}).map(([name, value]) => (name === 'times' ? t('unit.times', { x: String(value) }) : `${name} ${value}`));
}

const FACTS = { market_cap: 'cond.market_cap', value: 'cond.value', volume: 'w.vol', close: 'tab.c' };

/** @param {any} condition */
function boundsOf(condition) {
  const name = t(FACTS[condition.fact]);
  return ['at_least', 'at_most'].filter((bound) => condition[bound] !== undefined && condition[bound] !== null)
    .map((bound) => t(`cond.${bound}`, { f: name, n: condition.fact === 'close' ? won(condition[bound]) : big(condition[bound]) })).join(' · ');
}

/** New ones first, then by score. @param {any[]} matches */
export function inOrder(matches) {
  return [...matches].sort((a, b) => Number(b.is_new) - Number(a.is_new) || (b.score ?? -Infinity) - (a.score ?? -Infinity));
}

/**
 * The figures behind a match, one sentence for each strategy.
 * @param {any} evidence @param {number[]} starts of the daily candles up to the session @param {Map<string, any>} strategies
 */
export function evidenceTexts(evidence, starts, strategies) {
  return Object.entries(evidence ?? {}).map(([id, figures]) => evidenceText(id, figures, starts, strategies)).filter(Boolean);
}

/** @param {string} id @param {any} figures @param {number[]} starts @param {Map<string, any>} strategies */
function evidenceText(id, figures, starts, strategies) {
  const entries = Object.values(/** @type {any} */ (figures));
  if (!entries.length) return '';
  if (id === 'volume_surge') return t('scr.ev.vol', { x: figures.volume.value.toFixed(1) });
  if (id === 'macd_golden_cross') return t('scr.ev.macd', { n: starts.filter((ts) => ts > figures.macd.ts).length });
  const { value, unit } = /** @type {any} */ (entries[0]);
  const text = unit === 'won' ? won(value) : unit === 'candles' ? String(Math.round(value)) : value.toFixed(1);
  return `${strategyName(id, strategies)} ${t(unit in UNITS ? `unit.${unit}` : 'unit.0-100', { x: text })}`;
}

const UNITS = { won: 1, times: 1, candles: 1, '%': 1, atr: 1 };
