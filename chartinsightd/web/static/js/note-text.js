/**
 * A note's sentence, with each of its figures as a button that shows the row it comes from.
 * @module
 */
import { h } from './dom.js';
import { t } from './words.js';

/**
 * @param {any} claim `text` as rendered, `facts` the ids it cites
 * @param {any[]} facts of the note
 * @param {((id: string) => void) | null} light called with the id of the figure that was pressed
 */
export function claimOf(claim, facts, light) {
  if (!claim) return h('p', { class: 'claim' }, t('empty.notes'));
  return h('p', { class: 'claim' }, piecesOf(claim.text, citedOf(claim, facts)).map((piece) => (piece.fact
    ? h('button', { class: 'factref', type: 'button', onclick: () => light?.(piece.fact.id) }, piece.text)
    : piece.text)));
}

/** @param {any} claim @param {any[]} facts */
function citedOf(claim, facts) {
  const cited = new Set(claim.facts);
  return facts.filter((fact) => cited.has(fact.id));
}

/**
 * Cut a sentence at the figures of its facts; longer figures first, so that 1,500 is not found in 11,500.
 * @param {string} text @param {{id: string, text?: string}[]} facts
 * @returns {{text: string, fact?: any}[]}
 */
export function piecesOf(text, facts) {
  const spoken = facts.filter((fact) => fact.text).sort((a, b) => /** @type {string} */ (b.text).length - /** @type {string} */ (a.text).length);
  let pieces = /** @type {{text: string, fact?: any}[]} */ ([{ text }]);
  for (const fact of spoken) pieces = pieces.flatMap((piece) => (piece.fact ? [piece] : cut(piece.text, fact)));
  return pieces.filter((piece) => piece.text);
}

/** @param {string} text @param {any} fact */
function cut(text, fact) {
  const { at, figure } = found(text, fact.text);
  if (at < 0) return [{ text }];
  return [{ text: text.slice(0, at) }, { text: figure, fact }, ...cut(text.slice(at + figure.length), fact)];
}

/** Where a figure stands, no part of a longer one; where words say the direction it has no sign. @param {string} text @param {string} figure */
function found(text, figure) {
  for (const one of new Set([figure, figure.replace(/^[+\u2212-]/, '')])) {
    for (let at = text.indexOf(one); at >= 0; at = text.indexOf(one, at + 1)) {
      if (!/[\d.,]/.test(text[at - 1] ?? '')) return { at, figure: one };
    }
  }
  return { at: -1, figure };
}
