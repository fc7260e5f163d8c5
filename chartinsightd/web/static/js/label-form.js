/**
 * Drawing a label: the hint, then the form. Nothing that was drawn is lost without a word.
 * @module
 */
import { h, icon } from './dom.js';
import { fullTime, shortTime } from './numbers.js';
import { patternName } from './side-panel.js';
import { t } from './words.js';

const KINDS = ['double_bottom', 'double_top', 'retest_bottom', 'retest_top', 'head_shoulders', 'inverse_head_shoulders'];
const OWN = '';
const LONGEST_WORD = 40;
const LONGEST_NOTE = 500;

/** @param {() => void} cancel */
export function drawHint(cancel) {
  return h('div', { class: 'drawhint' }, icon('pen'), h('b', {}, t('lab.mode')), h('span', {}, t('lab.step1')), h('button', { class: 'tiny', type: 'button', onclick: cancel }, t('lab.cancel')));
}

/**
 * @param {{kind: string, own: string, note: string, problem: any}} draft what was entered so far
 * @param {{from: any, to: any, count: number, seen: any, hindsight: boolean, timeframe: string}} about rows of the stretch and the last one seen
 * @param {{save: () => void, cancel: () => void, redraw: () => void}} act
 */
export function labelForm(draft, about, act) {
  const step = t('lab.step2', { a: shortTime(about.from.ts, about.timeframe), b: shortTime(about.to.ts, about.timeframe), n: about.count });
  return h('form', { class: 'drawform', 'aria-label': t('lab.kind'), onsubmit: (event) => { event.preventDefault(); act.save(); } },
    h('header', {}, h('b', {}, t('lab.kind')), h('small', {}, step)),
    kindsOf(draft, act),
    draft.kind === OWN ? h('input', { class: 'own', type: 'text', required: true, maxLength: LONGEST_WORD, value: draft.own, 'aria-label': t('lab.own'), oninput: (event) => { draft.own = event.target.value; } }) : null,
    h('label', { class: 'field' }, h('span', {}, t('lab.note')), h('textarea', { rows: 2, maxLength: LONGEST_NOTE, placeholder: t('lab.note.hint'), value: draft.note, oninput: (event) => { draft.note = event.target.value; }, onkeydown: saveOnEnter })),
    h('p', { class: 'hind' }, icon('clock', 14), t('lab.hind', { d: fullTime(about.seen.ts, about.timeframe) }), ' · ', h('b', {}, t(about.hindsight ? 'lab.hind.yes' : 'lab.hind.no'))),
    draft.problem ? h('p', { class: 'fault', role: 'alert' }, t('lab.failed'), ' ', draft.problem.message, ' ', draft.problem.errors.join(' ')) : null,
    h('footer', {}, h('button', { class: 'btn', type: 'button', onclick: act.cancel }, t('lab.cancel'), h('kbd', {}, 'Esc')), h('button', { class: 'btn prime', type: 'submit' }, t('lab.save'), h('kbd', {}, 'Enter'))));
}

/** Enter saves, except while Hangul is being put together; with Shift it is a new line. @param {KeyboardEvent} event */
function saveOnEnter(event) {
  if (event.key !== 'Enter' || event.isComposing || event.shiftKey) return;
  event.preventDefault();
  /** @type {any} */ (event.target).form.requestSubmit();
}

/** One stop of the tab key, arrows inside. @param {any} draft @param {{redraw: () => void}} act */
function kindsOf(draft, act) {
  const kinds = [...KINDS, OWN];
  const choose = (kind) => {
    draft.kind = kind;
    act.redraw();
  };
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    choose(kinds[(kinds.indexOf(draft.kind) + step + kinds.length) % kinds.length]);
  };
  return h('div', { class: 'chips', role: 'radiogroup', 'aria-label': t('lab.kind'), onkeydown: move }, kinds.map((kind) => h('button', {
    type: 'button', role: 'radio', data: { key: `kind-${kind}` }, 'aria-checked': String(kind === draft.kind), tabIndex: kind === draft.kind ? 0 : -1, onclick: () => choose(kind),
  }, kind === OWN ? t('lab.own') : patternName(kind))));
}
