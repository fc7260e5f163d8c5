/**
 * Everything of our own on the price pane, drawn from what was known and from nothing else. One list of taken boxes per
 * frame keeps texts apart: what finds no room is left out, its marker stays, and panel and table tell the figure.
 * @module
 */
import { Boxes } from './boxes.js';
import { token } from './dom.js';
import { lineAt } from './known.js';
import { shortTime, won } from './numbers.js';
import { firstFrom, thinned } from './thinning.js';
import { t, wordOr } from './words.js';

/**
 * @typedef {object} Scene what one frame is drawn from
 * @property {import('./series.js').Row[]} rows
 * @property {import('./known.js').Known} known
 * @property {Record<string, boolean>} layers
 * @property {string} timeframe
 * @property {string | null} chosen pattern
 * @property {number | null} hot place of the point under the cursor
 * @property {number | null} cursor place walked to by key
 * @property {{from: number, to: number} | null} draft stretch being drawn
 * @property {import('./quotes.js').Quote | null} quote the latest price where no candle holds it
 * @property {boolean} narrow @property {boolean} dimmed @property {boolean} startsHere
 *
 * @typedef {object} Pen
 * @property {CanvasRenderingContext2D} g @property {number} width @property {number} height
 * @property {(place: number) => number} x @property {(price: number) => number} y
 * @property {(x: number) => number} placeAt the other way round
 * @property {number} bar width of one candle's place in pixels
 * @property {number} from @property {number} to places in sight
 * @property {number} alpha
 */

/** Figures of patterns told in full: the newest in sight. */
const TOLD_PATTERNS = 3;
/** Room kept for legend and ribbon, in pixels; on a phone the legend has a line more. */
const LEGEND = { width: 560, height: 46, narrow: 62 };
const RIBBON = 30;
/** The word for a missing candle is not written twice within so many pixels. */
const WORD_ROOM = 60;
/** Confirmation lines reach this far back: a point further left of the picture is looked for no longer. */
const FURTHEST_CONFIRMATION = 400;
/** Widths kept; the tags of labels, which anyone may word, come and go. */
const MOST_WIDTHS = 500;

const font = (size, weight = 400) => `${weight} ${size}px ${token('--font')}`;
const small = () => parseInt(token('--t-11'), 10);

/** Widths of the page's own words by font: measuring costs more than drawing. @type {Map<string, number>} */
const widths = new Map();

/** @param {CanvasRenderingContext2D} g @param {string} text */
function widthOf(g, text) {
  const key = `${g.font} ${text}`;
  const width = widths.get(key) ?? g.measureText(text).width;
  if (widths.size < MOST_WIDTHS) widths.set(key, width);
  return width;
}

/** What lies under the candles. @param {Pen} pen @param {Scene} scene */
export function drawBelow(pen, scene) {
  if (scene.layers.trend) drawWash(pen, scene);
  if (scene.layers.proof) drawMissing(pen, scene);
  if (scene.startsHere) drawStart(pen);
  if (scene.known.past) drawLater(pen, scene);
}

/** What lies over the candles. Answers what was drawn, for tests and for the pointer. @param {Pen} pen @param {Scene} scene */
export function drawAbove(pen, scene) {
  const { layers, known } = scene;
  const drawn = [];
  const boxes = new Boxes();
  boxes.take(0, 0, scene.narrow ? pen.width : LEGEND.width, scene.narrow ? LEGEND.narrow : LEGEND.height);
  boxes.take(0, pen.height - RIBBON, pen.width, RIBBON);
  pen.g.globalAlpha = pen.alpha;
  pen.g.textBaseline = 'middle';
  const patterns = layers.patterns ? patternsInSight(pen, scene) : [];
  for (const { pattern, told } of patterns) if (told) takeRing(pen, scene, pattern, boxes);
  const points = layers.points ? pointsInSight(pen, scene) : [];
  const figures = placeFigures(pen, scene, points, boxes);
  if (layers.labels) drawLabels(pen, scene, boxes, drawn);
  if (layers.legs) drawLegs(pen, known);
  for (const entry of patterns) drawPattern(pen, scene, entry, boxes, drawn);
  drawPoints(pen, scene, points, figures, drawn);
  if (layers.points && known.candidate) drawCandidate(pen, scene, figures.get(known.candidate));
  if (layers.trend) drawRibbon(pen, known);
  if (layers.proof) drawProof(pen, scene);
  drawCursor(pen, scene);
  return drawn;
}

/** The right edge of what is known. @param {Pen} pen @param {import('./known.js').Known} known */
const edge = (pen, known) => pen.x(known.last) + pen.bar / 2;

/** Trend stretches as [left, right, trend] in pixels. @param {Pen} pen @param {import('./known.js').Known} known */
function stretches(pen, known) {
  const { trends } = known;
  const found = [];
  for (let i = Math.max(0, firstFrom(trends, pen.from) - 1); i < trends.length && trends[i].at <= pen.to; i += 1) {
    const left = pen.x(trends[i].at) - pen.bar / 2;
    const right = i + 1 < trends.length ? pen.x(trends[i + 1].at) - pen.bar / 2 : edge(pen, known);
    found.push({ trend: trends[i].trend, left, right });
  }
  return found;
}

/** @param {Pen} pen @param {Scene} scene */
function drawWash(pen, { known }) {
  const { g } = pen;
  g.globalAlpha = Number(token('--wash'));
  for (const { trend, left, right } of stretches(pen, known)) {
    if (trend !== 'up' && trend !== 'down') continue;
    g.fillStyle = token(`--${trend}`);
    g.fillRect(left, 0, right - left, pen.height);
  }
  g.globalAlpha = 1;
}

/** @param {Pen} pen @param {number} x @param {number} y @param {number} width @param {number} height @param {string} colour @param {number} gap */
function hatch({ g }, x, y, width, height, colour, gap) {
  g.save();
  g.beginPath();
  g.rect(x, y, width, height);
  g.clip();
  g.strokeStyle = colour;
  g.lineWidth = 1;
  g.beginPath();
  for (let offset = -height; offset < width; offset += gap) {
    g.moveTo(x + offset, y + height);
    g.lineTo(x + offset + height, y);
  }
  g.stroke();
  g.restore();
}

/** @param {Pen} pen @param {Scene} scene */
function drawMissing(pen, { rows, known }) {
  for (let at = pen.from; at <= Math.min(pen.to, known.last); at += 1) {
    if (!rows[at].gap) continue;
    const width = Math.max(pen.bar, 5);
    hatch(pen, pen.x(at) - width / 2, LEGEND.height, width, pen.height - LEGEND.height, token('--doubt'), 5);
  }
}

/** Hatched left of the first candle that is kept. @param {Pen} pen */
function drawStart(pen) {
  const right = pen.x(0) - pen.bar / 2;
  if (right <= 0) return;
  const { g } = pen;
  g.globalAlpha = 0.5;
  hatch(pen, 0, 0, right, pen.height, token('--line'), 9);
  g.globalAlpha = 1;
  g.font = font(small());
  g.fillStyle = token('--ink-3');
  g.textAlign = 'right';
  g.textBaseline = 'middle';
  const text = t('history.start');
  if (widthOf(g, text) + 12 < right) g.fillText(text, right - 6, pen.height / 2);
}

/** What came later keeps its place, hatched. @param {Pen} pen @param {Scene} scene */
function drawLater(pen, { known }) {
  const { g } = pen;
  const left = edge(pen, known);
  g.globalAlpha = 0.5;
  hatch(pen, left, 0, pen.width - left, pen.height, token('--line'), 9);
  g.globalAlpha = 1;
}

/** @param {Pen} pen @param {Scene} scene */
function patternsInSight(pen, { known, chosen }) {
  const seen = known.patterns.filter((p) => p.points[0].at <= pen.to && (p.state === 'forming' ? known.last : p.known) >= pen.from);
  const told = new Set(seen.slice(-TOLD_PATTERNS));
  return seen.map((pattern) => ({ pattern, told: told.has(pattern) || pattern.id === chosen }));
}

/** Where a pattern's line ends: with the candle of its last state, or now while it is open. @param {Scene} scene @param {any} pattern */
const lineEnd = ({ known }, pattern) => (pattern.state === 'forming' ? known.last : pattern.known);

/** @param {Pen} pen @param {Scene} scene @param {any} pattern @param {Boxes} boxes */
function takeRing(pen, scene, pattern, boxes) {
  if (!pattern.line) return;
  const end = lineEnd(scene, pattern);
  boxes.take(pen.x(end) - 8, pen.y(lineAt(pattern.line, end)) - 8, 16, 16);
}

/** @param {Pen} pen @param {Scene} scene */
function pointsInSight(pen, { known, layers, hot }) {
  const { points } = known;
  const seen = [];
  for (let i = firstFrom(points, pen.from - FURTHEST_CONFIRMATION); i < points.length && points[i].at <= pen.to; i += 1) {
    if (points[i].known >= pen.from && (layers.secondary || points[i].grade === 'primary')) seen.push(points[i]);
  }
  const shown = thinned(seen, pen.bar);
  const lost = seen.find((point) => point.at === hot && !shown.includes(point)); // the one under the cursor is always drawn
  return lost ? [...shown, lost] : shown;
}

/** Prices of primary points and of the candidate, newest first. @param {Pen} pen @param {Scene} scene @param {any[]} points @param {Boxes} boxes */
function placeFigures(pen, scene, points, boxes) {
  const { g } = pen;
  const size = scene.narrow ? 9 : 11;
  const right = scene.known.past ? edge(pen, scene.known) : pen.width;
  const figures = new Map();
  g.font = font(small(), 500);
  const wanted = points.filter((p) => p.grade === 'primary');
  if (scene.known.candidate && scene.layers.points) wanted.push(scene.known.candidate);
  for (const point of wanted.reverse()) {
    const up = point.kind === 'peak' ? -1 : 1;
    const text = (point.text ??= won(point.y));
    const width = widthOf(g, text.replace(/\d/g, '0')); // figures are tabular: as long, as wide
    const x = Math.min(pen.x(point.at), right - width / 2 - 4);
    const y = pen.y(point.y) + up * (5 + size + 7);
    if (x > width / 2 && x < pen.width - width / 2 && boxes.isFree(x - width / 2 - 1, y - 7, width + 2, 14)) {
      figures.set(point, { x, y, text });
      boxes.take(x - width / 2 - 1, y - 7, width + 2, 14);
    }
    boxes.take(pen.x(point.at) - size / 2, Math.min(pen.y(point.y), y), size, Math.abs(y - pen.y(point.y)));
  }
  return figures;
}

/** @param {Pen} pen @param {any} known */
function drawLegs(pen, known) {
  const { g } = pen;
  const { skeleton, candidate } = known;
  if (!skeleton.length) return;
  g.strokeStyle = token('--ink');
  g.globalAlpha = 0.42 * pen.alpha;
  g.lineWidth = 1.25;
  g.lineJoin = 'round';
  g.beginPath();
  const first = Math.max(0, firstFrom(skeleton, pen.from) - 1);
  const turns = thinned(skeleton.slice(first, firstFrom(skeleton, pen.to + 1) + 1), pen.bar);
  for (const turn of turns) g.lineTo(pen.x(turn.at), pen.y(turn.y));
  g.stroke();
  const from = skeleton.at(-1);
  if (candidate && candidate.at >= pen.from) {
    g.setLineDash([3, 4]);
    g.beginPath();
    g.moveTo(pen.x(from.at), pen.y(from.y));
    g.lineTo(pen.x(candidate.at), pen.y(candidate.y));
    g.stroke();
    g.setLineDash([]);
  }
  g.globalAlpha = pen.alpha;
}

/** Add a triangle whose tip points at the wick to the path. @param {CanvasRenderingContext2D} g @param {number} x @param {number} y @param {number} size @param {boolean} peak */
function triangle(g, x, y, size, peak) {
  const far = y + (peak ? -1 : 1) * size * 0.82;
  g.moveTo(x, y);
  g.lineTo(x - size / 2, far);
  g.lineTo(x + size / 2, far);
  g.closePath();
}

/** @param {Pen} pen @param {{x: number, y: number, text: string}} figure */
function drawFigure({ g }, { x, y, text }) {
  g.font = font(small(), 500);
  g.textAlign = 'center';
  g.lineWidth = 3;
  g.strokeStyle = token('--bg');
  g.strokeText(text, x, y);
  g.fillStyle = token('--ink-2');
  g.fillText(text, x, y);
}

/** All points in sight, those of one look in one path: thousands of paths would cost more than all else. @param {Pen} pen @param {Scene} scene @param {any[]} points @param {Map<any, any>} figures @param {any[]} drawn */
function drawPoints(pen, scene, points, figures, drawn) {
  const { g } = pen;
  const hot = points.filter((point) => point.at === scene.hot);
  const cool = points.filter((point) => point.at !== scene.hot);
  const primary = cool.filter((point) => point.grade === 'primary');
  if (scene.layers.confirm) {
    drawConfirmations(pen, scene, primary, false);
    drawConfirmations(pen, scene, hot, true);
  }
  const size = scene.narrow ? 9 : 11;
  drawTriangles(pen, cool.filter((point) => point.grade !== 'primary'), 6, '--ink-3');
  drawTriangles(pen, primary, size, '--ink');
  for (const point of hot) drawTriangles(pen, [point], point.grade === 'primary' ? size : 6, '--ink');
  for (const point of points) {
    const figure = figures.get(point);
    if (figure) drawFigure(pen, figure);
    drawn.push({ what: 'point', confirmedAt: point.confirmedAt, at: point.at, x: pen.x(point.at), y: tipOf(pen, point), point });
  }
  g.globalAlpha = pen.alpha;
}

/** @param {Pen} pen @param {any} point */
const tipOf = (pen, point) => pen.y(point.y) + (point.kind === 'peak' ? -5 : 5);

/** @param {Pen} pen @param {any[]} points @param {number} size @param {string} colour */
function drawTriangles(pen, points, size, colour) {
  const { g } = pen;
  g.beginPath();
  for (const point of points) triangle(g, pen.x(point.at), tipOf(pen, point), size, point.kind === 'peak');
  g.fillStyle = token(colour);
  g.fill();
}

/** The ways from points to the candles whose closes made them known. @param {Pen} pen @param {Scene} scene @param {any[]} points @param {boolean} hot */
function drawConfirmations(pen, { rows }, points, hot) {
  const { g } = pen;
  const ways = points.filter((point) => rows[point.known] && !rows[point.known].gap).map((point) => ({
    x: pen.x(point.at), y: pen.y(point.y), toX: pen.x(point.known), toY: pen.y(rows[point.known].close), up: point.kind === 'peak',
  }));
  g.strokeStyle = token('--ink');
  g.lineWidth = 1;
  g.setLineDash(hot ? [] : [2, 3]);
  g.globalAlpha = (hot ? 0.95 : 0.45) * pen.alpha;
  g.beginPath();
  for (const { x, y, toX, toY, up } of ways) {
    g.moveTo(x, y);
    g.lineTo(toX, y);
    g.lineTo(toX, toY + (up ? -4 : 4));
  }
  g.stroke();
  g.setLineDash([]);
  g.globalAlpha = (hot ? 1 : 0.75) * pen.alpha;
  g.fillStyle = token('--bg');
  g.beginPath();
  for (const { toX, toY } of ways) {
    g.moveTo(toX + 2.5, toY);
    g.arc(toX, toY, 2.5, 0, 7);
  }
  g.fill();
  g.stroke();
  g.globalAlpha = pen.alpha;
}

/** The extreme of the open leg: an outline, since nothing has confirmed it. @param {Pen} pen @param {Scene} scene @param {any} figure */
function drawCandidate(pen, { known, narrow }, figure) {
  const { g } = pen;
  const point = /** @type {any} */ (known.candidate);
  if (point.at < pen.from || point.at > pen.to) return;
  g.beginPath();
  triangle(g, pen.x(point.at), tipOf(pen, point), narrow ? 9 : 11, point.kind === 'peak');
  g.fillStyle = token('--bg');
  g.fill();
  g.strokeStyle = token('--ink');
  g.lineWidth = 1.5;
  g.stroke();
  if (figure) drawFigure(pen, figure);
}

/** @param {Pen} pen @param {any[]} points */
function outline({ g, x, y }, points) {
  g.beginPath();
  for (const point of points) g.lineTo(x(point.at), y(point.y));
}

/** @param {Pen} pen @param {Scene} scene @param {{pattern: any, told: boolean}} entry @param {Boxes} boxes @param {any[]} drawn */
function drawPattern(pen, scene, { pattern, told }, boxes, drawn) {
  const { g } = pen;
  const chosen = pattern.id === scene.chosen;
  const open = pattern.state === 'forming' || pattern.state === 'completed';
  g.strokeStyle = token('--pattern');
  g.lineWidth = chosen ? 2 : 1.25;
  g.globalAlpha = pen.alpha * (chosen ? 1 : !told ? 0.22 : open ? 0.85 : 0.5);
  if (chosen) {
    g.fillStyle = token('--pattern-wash');
    outline(pen, pattern.points);
    g.fill();
  }
  if (told) {
    outline(pen, pattern.points);
    g.stroke();
  }
  if (pattern.line) drawNeckline(pen, scene, pattern, told, boxes, chosen);
  g.globalAlpha = pen.alpha;
  drawn.push({ what: 'pattern', confirmedAt: pattern.confirmedAt, id: pattern.id, state: pattern.state });
}

/** @param {Pen} pen @param {Scene} scene @param {any} pattern @param {boolean} told @param {Boxes} boxes @param {boolean} chosen */
function drawNeckline(pen, scene, pattern, told, boxes, chosen) {
  const { g } = pen;
  const end = lineEnd(scene, pattern);
  const at = { x: pen.x(end), y: pen.y(lineAt(pattern.line, end)) };
  g.setLineDash(pattern.state === 'completed' ? [] : [5, 4]);
  g.beginPath();
  g.moveTo(pen.x(pattern.line.from), pen.y(pattern.line.y));
  g.lineTo(at.x, at.y);
  g.stroke();
  g.setLineDash([]);
  if (!told) return;
  g.globalAlpha = pen.alpha;
  drawRing(g, at, pattern.state);
  drawChip(pen, scene, pattern, at, boxes, chosen);
}

/** @param {CanvasRenderingContext2D} g @param {{x: number, y: number}} at @param {string} state */
function drawRing(g, { x, y }, state) {
  g.fillStyle = token('--bg');
  g.lineWidth = 1.25;
  g.beginPath();
  g.arc(x, y, 7, 0, 7);
  g.fill();
  g.stroke();
  g.lineWidth = 1.6;
  g.lineCap = 'round';
  g.beginPath();
  const strokes = { completed: [[-3, 0, -0.8, 2.4], [-0.8, 2.4, 3.2, -2.6]], failed: [[-2.6, -2.6, 2.6, 2.6], [2.6, -2.6, -2.6, 2.6]], expired: [[-3, 0, 3, 0]] }[state];
  if (!strokes) g.arc(x, y, 2.8, 0, 7);
  for (const [x0, y0, x1, y1] of strokes ?? []) {
    g.moveTo(x + x0, y + y0);
    g.lineTo(x + x1, y + y1);
  }
  g.stroke();
  g.lineCap = 'butt';
}

/** @param {Pen} pen @param {Scene} scene @param {any} pattern @param {{x: number, y: number}} at @param {Boxes} boxes @param {boolean} chosen */
function drawChip(pen, scene, pattern, at, boxes, chosen) {
  const { g } = pen;
  const text = `${wordOr(`pat.${pattern.kind}`, pattern.kind)} · ${t(`st.${pattern.state}`)}`;
  g.font = font(small(), chosen ? 700 : 600);
  const width = widthOf(g, text) + 12;
  const place = chipPlace(pen, scene, at, width, boxes);
  if (!place) return;
  g.fillStyle = token('--bg');
  g.globalAlpha = 0.88 * pen.alpha;
  g.beginPath();
  g.roundRect(place.x, place.y, width, 17, 4);
  g.fill();
  g.globalAlpha = pen.alpha;
  g.strokeStyle = token('--pattern');
  g.lineWidth = chosen ? 1.5 : 1;
  g.stroke();
  g.fillStyle = token('--pattern');
  g.textAlign = 'left';
  g.fillText(text, place.x + 6, place.y + 9);
  boxes.take(place.x - 2, place.y - 2, width + 4, 21);
}

/** The place near the ring with the fewest candles under it. @param {Pen} pen @param {Scene} scene @param {{x: number, y: number}} at @param {number} width @param {Boxes} boxes */
function chipPlace(pen, scene, at, width, boxes) {
  const limit = (scene.known.past ? edge(pen, scene.known) : pen.width) - width - 4;
  const cut = (x) => Math.max(4, Math.min(x, limit));
  let best = null;
  for (const dy of [-27, 12, -47, 32, -67, 52, -87, 72]) {
    for (const x of [cut(at.x - width / 2), cut(at.x - width - 11), cut(at.x + 11)]) {
      const y = at.y + dy;
      if (y < 2 || y > pen.height - 50 || !boxes.isFree(x, y, width, 18)) continue;
      const cost = candlesUnder(pen, scene, x, y, width) + Math.abs(dy + 8) / 60;
      if (!best || cost < best.cost) best = { x, y, cost };
    }
  }
  return best;
}

/** @param {Pen} pen @param {Scene} scene @param {number} x @param {number} y @param {number} width */
function candlesUnder(pen, { rows, known }, x, y, width) {
  let count = 0;
  const last = Math.min(pen.to, known.last, Math.floor(pen.placeAt(x + width)));
  for (let at = Math.max(pen.from, Math.ceil(pen.placeAt(x))); at <= last; at += 1) {
    if (rows[at].gap) continue;
    if (pen.y(rows[at].high) < y + 18 && pen.y(rows[at].low) > y - 1) count += 1;
  }
  return count;
}

/** @param {Pen} pen @param {Scene} scene @param {Boxes} boxes @param {any[]} drawn */
function drawLabels(pen, scene, boxes, drawn) {
  for (const label of scene.known.labels) {
    if (label.to < pen.from || label.from > pen.to) continue;
    const verdict = label.verdict === 'own' ? t('lab.v.own') : t(label.verdict);
    const tag = `${wordOr(`pat.${label.kind}`, label.kind)} · ${verdict}`;
    drawStretch(pen, scene, label, { tag, dashed: label.hindsight, draft: false }, boxes);
    drawn.push({ what: 'label', confirmedAt: label.seen_until, id: label.id });
  }
  const { draft, rows, timeframe } = scene;
  if (!draft) return;
  const tag = t('lab.step2', { a: shortTime(rows[draft.from].ts, timeframe), b: shortTime(rows[draft.to].ts, timeframe), n: draft.to - draft.from + 1 });
  drawStretch(pen, scene, draft, { tag, dashed: false, draft: true }, boxes);
}

/** @param {Pen} pen @param {Scene} scene @param {{from: number, to: number}} place @param {{tag: string, dashed: boolean, draft: boolean}} look @param {Boxes} boxes */
function drawStretch(pen, { rows, known }, { from, to }, { tag, dashed, draft }, boxes) {
  const { g } = pen;
  const candles = rows.slice(from, Math.min(to, known.last) + 1).filter((row) => !row.gap);
  if (!candles.length) return;
  const left = pen.x(from) - pen.bar / 2;
  const right = pen.x(Math.min(to, known.last)) + pen.bar / 2;
  const top = pen.y(Math.max(...candles.map((row) => row.high))) - 14;
  const bottom = pen.y(Math.min(...candles.map((row) => row.low))) + 14;
  g.fillStyle = token('--label-wash');
  g.fillRect(left, top, right - left, bottom - top);
  g.strokeStyle = token('--label');
  g.lineWidth = draft ? 1.5 : 1;
  g.setLineDash(dashed ? [4, 3] : []);
  g.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
  g.setLineDash([]);
  if (draft) drawHandles(g, [left, right], (top + bottom) / 2);
  drawTag(pen, tag, left, top, bottom, boxes);
}

/** @param {CanvasRenderingContext2D} g @param {number[]} places @param {number} y */
function drawHandles(g, places, y) {
  g.lineWidth = 2;
  g.fillStyle = token('--bg');
  for (const x of places) {
    g.beginPath();
    g.arc(x, y, 6, 0, 7);
    g.fill();
    g.stroke();
  }
}

/** @param {Pen} pen @param {string} text @param {number} left @param {number} top @param {number} bottom @param {Boxes} boxes */
function drawTag({ g, width, alpha }, text, left, top, bottom, boxes) {
  g.font = font(small(), 600);
  const wide = widthOf(g, text) + 12;
  const x = Math.max(4, Math.min(left, width - wide - 4));
  const y = [top - 20, top - 38, bottom + 3, bottom + 21, top - 56].find((place) => place > 4 && boxes.isFree(x, place, wide, 18));
  if (y === undefined) return;
  g.fillStyle = token('--label');
  g.beginPath();
  g.roundRect(x, y, wide, 17, 4);
  g.fill();
  g.globalAlpha = 1;
  g.fillStyle = token('--bg');
  g.textAlign = 'left';
  g.fillText(text, x + 6, y + 9);
  g.globalAlpha = alpha;
  boxes.take(x - 2, y - 2, wide + 4, 21);
}

const TREND = { up: { colour: '--up', word: 'trend.up', sign: '▲ ' }, down: { colour: '--down', word: 'trend.down', sign: '▼ ' }, sideways: { colour: '--flat', word: 'trend.side', sign: '' } };

/** The ribbon at the foot of the pane, with the trend's word at the start of each stretch. @param {Pen} pen @param {any} known */
function drawRibbon(pen, known) {
  const { g } = pen;
  g.font = font(small(), 500);
  g.textAlign = 'left';
  for (const { trend, left, right } of stretches(pen, known)) {
    const from = Math.max(0, left);
    const to = Math.min(pen.width, right);
    const { colour, word, sign } = TREND[trend];
    g.fillStyle = token(colour);
    g.globalAlpha = 0.62 * pen.alpha;
    g.fillRect(from, pen.height - 12, Math.max(1, to - from - 1), 4);
    g.globalAlpha = pen.alpha;
    const text = sign + t(word);
    if (widthOf(g, text) + 10 < to - from) g.fillText(text, from + 4, pen.height - 21);
  }
}

/** The line of proof: grey is proved; dots, diamonds and blocks of doubt are not. @param {Pen} pen @param {Scene} scene */
function drawProof(pen, { rows, known }) {
  const { g } = pen;
  const last = Math.min(pen.to, known.last);
  const y = pen.height - 5;
  g.fillStyle = token('--line-strong');
  g.fillRect(pen.x(pen.from) - pen.bar / 2, y - 0.5, (last - pen.from + 1) * pen.bar, 1.5);
  g.fillStyle = token('--doubt');
  g.font = font(small(), 500);
  g.textAlign = 'left';
  let written = -Infinity;
  for (let at = pen.from; at <= last; at += 1) {
    const row = rows[at];
    if (row.gap || row.revised || row.unproved) drawDoubt(pen, row, pen.x(at), y);
    if (!row.gap || pen.x(at) - written < WORD_ROOM) continue;
    g.fillText(t('candle.gap'), pen.x(at) + 6, pen.height - 38);
    written = pen.x(at);
  }
}

/** @param {Pen} pen @param {import('./series.js').Row} row @param {number} x @param {number} y */
function drawDoubt({ g, bar }, row, x, y) {
  const width = Math.max(bar, 5);
  if (row.gap) g.fillRect(x - width / 2, y - 2, width, 5);
  else if (row.revised) diamond(g, x, y);
  else if (row.quoted) hollow(g, x, y);
  else g.fillRect(x - 1.5, y - 1.5, 3, 3);
}

/** A provisional candle: nothing of it is collected. @param {CanvasRenderingContext2D} g @param {number} x @param {number} y */
function hollow(g, x, y) {
  g.strokeStyle = token('--doubt');
  g.lineWidth = 1.25;
  g.beginPath();
  g.arc(x, y - 0.5, 3, 0, 7);
  g.stroke();
}

/** @param {CanvasRenderingContext2D} g @param {number} x @param {number} y */
function diamond(g, x, y) {
  g.beginPath();
  for (const [dx, dy] of [[0, -4.5], [4.5, 0], [0, 4.5], [-4.5, 0]]) g.lineTo(x + dx, y + dy);
  g.fill();
}

/** The candle walked to by key, and the edge of what was known. @param {Pen} pen @param {Scene} scene */
function drawCursor(pen, { cursor, known, narrow }) {
  const { g } = pen;
  g.globalAlpha = 1;
  if (cursor !== null) {
    g.strokeStyle = token('--focus');
    g.lineWidth = 2;
    const width = Math.max(pen.bar, 6);
    g.strokeRect(pen.x(cursor) - width / 2 - 1, 1, width + 2, pen.height - 2);
  }
  if (known.past) {
    const x = edge(pen, known);
    const top = narrow || x < LEGEND.width ? LEGEND.height : 0; // never through the legend's figures
    g.fillStyle = token('--inverse');
    g.fillRect(x, top, 2, pen.height - top);
  }
}
