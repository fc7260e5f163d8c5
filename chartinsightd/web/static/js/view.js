/**
 * What the views beside the chart have in common: how they come onto the page and leave it, and what stands in the place
 * of a list that failed, is not there yet, or is empty.
 * @module
 */
import { fill, h } from './dom.js';
import { errorBox } from './frame.js';
import { t } from './words.js';

/** A view that draws all of itself with `draw` and reads with `load`; both are its own. */
class View {
  /** @param {any} context @param {string} name of the view, as in the address */
  constructor(context, name) {
    this.context = context;
    this.name = name;
    this.problem = /** @type {any} */ (null);
    /** Whether another view has taken the place. */
    this.gone = false;
  }

  /** Put the empty parts on the page, then draw and read. @param {HTMLElement} main @param {...HTMLElement} parts */
  begin(main, ...parts) {
    main.className = `v-${this.name}`;
    fill(main, ...parts);
    this.draw();
    this.load();
  }

  tell() {
    document.title = `${t(`view.${this.name}`)} · ${t('app.name')}`;
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.timer);
  }

  redraw() {
    this.draw();
  }

  draw() {}

  load() {}

  command() {
    return false;
  }

  /** @param {string} _type @param {any} _data */
  onEvent(_type, _data) {}

  onConnection() {}
}

/** One list over the whole width. */
export class ListView extends View {
  /** @param {HTMLElement} main */
  mount(main) {
    this.page = h('section', { class: 'page' });
    this.begin(main, this.page);
  }

  /**
   * The list, or what stands in its place.
   * @param {any[] | null} items null while they are being read
   * @param {string} empty the word for a list without items
   * @param {() => any} table
   */
  listOf(items, empty, table) {
    if (this.problem) return h('div', { class: 'broken' }, errorBox(this.problem, () => this.load()));
    if (!items) return h('p', { class: 'empty pad' }, t('loading'));
    if (!items.length) return h('p', { class: 'empty pad' }, t(empty));
    return h('div', { class: 'tablebox', tabIndex: 0, 'aria-label': t(`view.${this.name}`) }, table());
  }
}

/** A narrow pane to choose in, and what is chosen beside it. */
export class ChoiceView extends View {
  /** @param {HTMLElement} main */
  mount(main) {
    this.left = h('aside', { class: 'builder', 'aria-label': t(this.paneWord()) });
    this.right = h('section', { class: `page ${this.name === 'notes' ? 'note' : ''}` });
    this.begin(main, this.left, this.right);
  }

  /** The word that names the narrow pane. */
  paneWord() {
    return `view.${this.name}`;
  }
}

/** A row of a table that opens something by click and by Enter. @param {string} key @param {() => void} open @param {...any} cells */
export function openingRow(key, open, ...cells) {
  const onKey = (event) => event.key === 'Enter' && event.target === event.currentTarget && open();
  return h('tr', { data: { row: '', key }, tabIndex: 0, onclick: open, onkeydown: onKey }, ...cells);
}
