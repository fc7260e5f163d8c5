/**
 * Which key asks for what. Letters are taken by the place of the key, so they work while Hangul is typed.
 * @module
 */

/** @typedef {{code: string, key: string, shiftKey: boolean, ctrlKey: boolean, metaKey: boolean, altKey: boolean}} Stroke */
/** @typedef {{name: string, value?: any}} Command */

const GO = { KeyC: 'chart', KeyS: 'screener', KeyW: 'watch', KeyL: 'labels', KeyN: 'notes' };
const PLAIN = {
  KeyG: ['go'], KeyB: ['draw'], KeyT: ['table'], KeyW: ['watch'], KeyU: ['adjusted'], KeyV: ['venue'], KeyY: ['verdict', 'agree'], KeyX: ['verdict', 'disagree'],
  KeyJ: ['row', 1], KeyK: ['row', -1], Slash: ['search'], Escape: ['leave'], Comma: ['asOf', -1], Period: ['asOf', 1],
  BracketLeft: ['point', -1], BracketRight: ['point', 1], ArrowLeft: ['candle', -1], ArrowRight: ['candle', 1], Enter: ['enter'],
  Digit1: ['timeframe', 0], Digit2: ['timeframe', 1], Digit3: ['timeframe', 2], Digit4: ['timeframe', 3], Digit5: ['timeframe', 4],
  Digit0: ['zoom', 0], Minus: ['zoom', -1], NumpadSubtract: ['zoom', -1], NumpadAdd: ['zoom', 1], Equal: ['zoom', 1],
};
const SHIFTED = {
  Slash: ['help'], Comma: ['event', -1], Period: ['event', 1], BracketLeft: ['pattern', -1], BracketRight: ['pattern', 1],
  ArrowLeft: ['candle', -10], ArrowRight: ['candle', 10], Equal: ['zoom', 1],
};

/** Keys of the help, and the word for each. @type {[string, string][]} */
export const HELP = [
  ['/', 'k.search'], ['1 – 5', 'k.tf'], ['g c  g s  g w  g l  g n', 'k.go'], ['←  →  ⇧←  ⇧→', 'k.move'], ['+  −  0', 'k.zoom'],
  ['[  ]', 'k.point'], ['{  }', 'k.pattern'], [',  .', 'k.asof'], ['<  >', 'k.asof2'], ['Esc', 'k.esc'], ['b', 'k.draw'],
  ['y  x', 'k.verdict'], ['t', 'k.table'], ['j  k  Enter', 'k.list'], ['w', 'k.watch'], ['u', 'k.adj'], ['v', 'k.venue'], ['?', 'k.help'],
];

/**
 * @param {Stroke} stroke
 * @param {boolean} afterG whether `g` was the key before
 * @returns {Command | null}
 */
export function commandOf(stroke, afterG) {
  if (stroke.ctrlKey || stroke.metaKey) return stroke.code === 'KeyK' ? { name: 'search' } : null;
  if (stroke.altKey) return null;
  if (afterG && stroke.code in GO && !stroke.shiftKey) return { name: 'view', value: GO[stroke.code] };
  const entry = (stroke.shiftKey ? SHIFTED : PLAIN)[stroke.code];
  return entry ? { name: entry[0], value: entry[1] } : null;
}
