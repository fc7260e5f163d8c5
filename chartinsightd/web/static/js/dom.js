/**
 * Making elements. Text always goes in as text: nothing here reads HTML, and no element gets a style attribute.
 * @module
 */

/** @typedef {Node | string | null | undefined | false | Kid[]} Kid */

/**
 * Make an element. `on…` is a listener, `data` goes into the data set, the rest are properties or attributes.
 * @param {string} tag @param {Record<string, any>} [properties] @param {...Kid} kids
 * @returns {any}
 */
export function h(tag, properties = {}, ...kids) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) setProperty(element, name, value);
  element.append(...present(kids));
  return element;
}

/** @param {any} element @param {string} name @param {any} value */
function setProperty(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === 'class') element.className = value;
  else if (name === 'data') Object.assign(element.dataset, value);
  else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
  else if (typeof value !== 'string' && name in element) element[name] = value;
  else element.setAttribute(name, value === true ? '' : String(value));
}

/** @param {Kid[]} kids @returns {(Node | string)[]} */
function present(kids) {
  return /** @type {any} */ (kids.flat(9).filter((kid) => kid !== null && kid !== undefined && kid !== false));
}

/** Put children in the place of those there. @param {Element} parent @param {...Kid} kids */
export function fill(parent, ...kids) {
  parent.replaceChildren(...present(kids));
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** Strokes on a field of 16 by 16. */
const ICONS = {
  wave: 'M1.5 10.5 4.5 5.5 7.5 11.5 10.5 3.5 12.5 9H14.5',
  search: 'M11 7A4 4 0 1 1 3 7a4 4 0 0 1 8 0zM10 10l3.8 3.8',
  star: 'M8 2 9.9 5.9 14 6.4 11 9.3 11.8 13.5 8 11.4 4.2 13.5 5 9.3 2 6.4 6.1 5.9z',
  table: 'M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11M6 3.5v9',
  pen: 'M3 13 3.8 10 11 2.8 13.2 5 6 12.2zM9.5 4.3 11.7 6.5',
  layers: 'M8 2.5 14 5.8 8 9.1 2 5.8zM2.5 9.1 8 12.4 13.5 9.1',
  sun: 'M10.8 8A2.8 2.8 0 1 1 5.2 8a2.8 2.8 0 0 1 5.6 0zM8 1.5v1.7M8 12.8v1.7M1.5 8h1.7M12.8 8h1.7M3.4 3.4l1.2 1.2M11.4 11.4l1.2 1.2M12.6 3.4l-1.2 1.2M4.6 11.4l-1.2 1.2',
  moon: 'M13.2 9.7A5.7 5.7 0 1 1 6.3 2.8a4.6 4.6 0 0 0 6.9 6.9z',
  keys: 'M1.5 4.5h13v7h-13zM4 7h.6M6.7 7h.6M9.4 7h.6M12 7h.3M4.5 9.4h7',
  left: 'M10 3.5 5.5 8 10 12.5',
  right: 'M6 3.5 10.5 8 6 12.5',
  up: 'M3.5 10 8 5.5 12.5 10',
  below: 'M3.5 6 8 10.5 12.5 6',
  check: 'M3 8.5 6.3 11.7 13 4.7',
  cross: 'M4 4 12 12M12 4 4 12',
  dash: 'M3.5 8h9',
  ring: 'M12.6 8A4.6 4.6 0 1 1 3.4 8a4.6 4.6 0 0 1 9.2 0z',
  plug: 'M2.5 13.5 5 11M4.3 7.3 8.7 11.7 10.2 10.2A3.1 3.1 0 0 0 5.8 5.8zM9.5 6.5 13 3M2 2 14 14',
  alert: 'M8 2.2 14.2 13.3H1.8zM8 6.4v3.3M8 11.4v.3',
  chart: 'M2.5 13.5h11M4.5 6v5M8 3.5v7.5M11.5 5v6',
  filter: 'M2 3.5h12L9.5 8.7v4.5L6.5 11.7v-3z',
  note: 'M3.5 2.5h9v11h-9zM5.8 5.6h4.4M5.8 8h4.4M5.8 10.4h2.6',
  tag: 'M2.5 2.5H8L13.5 8 8 13.5 2.5 8zM5.2 5.2h.2',
  clock: 'M13.8 8A5.8 5.8 0 1 1 2.2 8a5.8 5.8 0 0 1 11.6 0zM8 4.8V8l2.2 1.6',
  plus: 'M8 3v10M3 8h10',
  down: 'M8 2.5v8M4.8 7.5 8 10.7 11.2 7.5M3 13.5h10',
  sliders: 'M2 4.5h6.5M12 4.5h2M2 11.5h2M7.5 11.5H14M10.2 3v3M5.7 10v3',
};

/** @param {keyof typeof ICONS} name @param {number} [size] */
export function icon(name, size = 16) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  for (const [key, value] of [['viewBox', '0 0 16 16'], ['width', size], ['height', size], ['class', 'ic'], ['aria-hidden', 'true']]) {
    svg.setAttribute(String(key), String(value));
  }
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** @type {Map<string, string>} */
const tokens = new Map();

/** Read a design token. Kept until the theme changes: reading the computed style in a draw loop costs more than drawing. @param {string} name */
export function token(name) {
  let value = tokens.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    tokens.set(name, value);
  }
  return value;
}

/** Forget what was read: theme, palette or the width of the window has changed. */
export function forgetTokens() {
  tokens.clear();
}

/**
 * A canvas that draws itself when it comes into sight and when its size changes; off screen nothing is drawn.
 * @param {string} className
 * @param {(g: CanvasRenderingContext2D, width: number, height: number) => void} draw
 */
export function drawing(className, draw) {
  const canvas = h('canvas', { class: className, 'aria-hidden': 'true' });
  const paint = () => {
    const { width, height } = canvas.getBoundingClientRect();
    if (!width || !height) return;
    const density = devicePixelRatio || 1;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const g = canvas.getContext('2d');
    g.scale(density, density);
    draw(g, width, height);
  };
  canvas.paint = paint;
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && paint(), { rootMargin: '200px' }).observe(canvas);
  new ResizeObserver(paint).observe(canvas);
  return canvas;
}
