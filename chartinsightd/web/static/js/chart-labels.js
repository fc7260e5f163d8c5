/**
 * What a person says of a chart: stretches that they draw, and patterns that they agree or disagree with.
 * @module
 */
import { post } from './api.js';
import { fill } from './dom.js';
import { refill, say, toast } from './frame.js';
import { drawHint, labelForm } from './label-form.js';
import { rfc3339 } from './numbers.js';
import { t } from './words.js';

export class ChartLabels {
  /** @param {any} page the chart view they belong to */
  constructor(page) {
    this.page = page;
    /** The end set first, by key, and what was entered in the form; null: nothing is drawn. @type {{anchor: number | null, form: any} | null} */
    this.drawing = null;
  }

  /** The label that agrees or disagrees with a pattern. @param {string} id */
  labelOn(id) {
    return this.page.series.labels.find((label) => label.pattern_id === id && (label.verdict === 'agree' || label.verdict === 'disagree'));
  }

  /** @param {string} id */
  verdictOf(id) {
    return this.labelOn(id)?.verdict ?? null;
  }

  /** Agree or disagree; the same word again takes it back. @param {any} pattern @param {'agree' | 'disagree'} way */
  async judge(pattern, way) {
    const held = this.labelOn(pattern.id);
    const body = {
      ...this.labelBase(pattern.points[0].ts, pattern.points.at(-1).ts), kind: pattern.kind, pattern_id: pattern.id,
      points: pattern.points.map((point) => ({ ts: rfc3339(point.ts), price: Math.round(point.price) })),
      verdict: held?.verdict === way ? 'withdrawn' : way, note: held?.note ?? '', replaces: held?.id ?? null,
    };
    try {
      this.takeLabel(await post('labels', body), held);
    } catch (problem) {
      toast(`${t('error.title')} ${/** @type {any} */ (problem).message}`);
    }
  }

  /** @param {number} from @param {number} to */
  labelBase(from, to) {
    const { rows, known } = this.page.scene;
    return { symbol: this.page.symbol, timeframe: this.page.timeframe, from_ts: rfc3339(from), to_ts: rfc3339(to), seen_until: rfc3339(rows[known.last].ts) };
  }

  /** @param {any} label @param {any} replaced */
  takeLabel(label, replaced) {
    const others = this.page.series.labels.filter((one) => one.id !== replaced?.id && one.id !== label.id);
    const own = label.verdict === 'withdrawn' ? [] : [{ ...label, shownIn: this.page.timeframe }];
    this.page.reading.series = { ...this.page.series, labels: [...own, ...others] };
    this.page.refresh();
    toast(t('lab.saved'));
  }

  toggle() {
    if (this.drawing) this.end();
    else this.begin();
  }

  begin() {
    if (!this.page.scene.known) return;
    if (!this.page.isKrx) {
      toast(t('venue.labels'));
      return;
    }
    if (this.page.table) this.page.toggleTable();
    this.drawing = { anchor: null, form: null };
    this.page.plot.chart.lock(true);
    this.page.stage.classList.add('drawing');
    this.page.drawHead();
    fill(this.page.plot.drawbox, drawHint(() => this.end()));
    say(t('lab.step1'));
  }

  end() {
    this.drawing = null;
    this.page.scene.draft = null;
    this.page.plot.chart?.lock(false);
    this.page.stage.classList.remove('drawing');
    fill(this.page.plot.drawbox);
    this.page.drawHead();
    this.page.plot.chart?.draw();
    say(t('lab.off'));
  }

  /** @param {number} a @param {number} b */
  setDraft(a, b) {
    this.page.scene.draft = { from: Math.min(a, b), to: Math.max(a, b) };
    this.page.plot.chart?.draw();
  }

  /** Enter: the first press sets one end, the second the other. */
  markEnd() {
    if (!this.drawing || this.drawing.form) return;
    const place = this.page.scene.cursor ?? this.page.scene.known.last;
    if (this.drawing.anchor === null) {
      this.drawing.anchor = place;
      this.setDraft(place, place);
    } else this.openForm();
  }

  openForm() {
    this.drawing.anchor = null;
    this.drawing.form = this.drawing.form ?? { kind: 'double_bottom', own: '', note: '', problem: null };
    this.drawForm();
    this.page.plot.drawbox.querySelector('[role=radio][tabindex="0"]')?.focus();
  }

  drawForm() {
    const { rows, known, draft } = this.page.scene;
    if (!this.drawing.form || !draft) return;
    const seen = rows[known.last];
    refill(this.page.plot.drawbox, labelForm(this.drawing.form, {
      from: rows[draft.from], to: rows[draft.to], count: draft.to - draft.from + 1, seen, hindsight: known.last > draft.to, timeframe: this.page.timeframe,
    }, { save: () => this.save(), cancel: () => this.end(), redraw: () => this.drawForm() }));
    this.page.plot.drawbox.querySelector(this.drawing.form.kind === '' ? '.own' : '[aria-checked=true]')?.focus();
  }

  async save() {
    const { form } = this.drawing;
    const { rows, draft } = this.page.scene;
    const kind = form.kind || form.own.trim();
    if (!kind) return;
    const body = { ...this.labelBase(rows[draft.from].ts, rows[draft.to].ts), kind, points: [], verdict: 'own', pattern_id: null, note: form.note.trim(), replaces: null };
    try {
      const label = await post('labels', body);
      this.end();
      this.takeLabel(label, null);
      this.page.plot.canvas.focus();
    } catch (problem) {
      form.problem = problem;
      this.drawForm();
    }
  }

  /** Drawing by pointer: from the first candle to the last; both ends can be dragged afterwards. */
  wire() {
    let fixed = /** @type {number | null} */ (null);
    const place = (event) => this.page.plot.chart.placeAt(event.clientX - this.page.plot.canvas.getBoundingClientRect().left);
    this.page.plot.canvas.addEventListener('pointerdown', (event) => {
      if (!this.drawing) return;
      const at = place(event);
      const { draft } = this.page.scene;
      fixed = draft && this.drawing.form ? (Math.abs(at - draft.from) < Math.abs(at - draft.to) ? draft.to : draft.from) : at;
      this.setDraft(fixed, at);
      this.page.plot.canvas.setPointerCapture(event.pointerId);
    });
    this.page.plot.canvas.addEventListener('pointermove', (event) => fixed !== null && this.drawing && this.setDraft(fixed, place(event)));
    this.page.plot.canvas.addEventListener('pointerup', () => {
      if (fixed !== null && this.drawing) this.openForm();
      fixed = null;
    });
  }
}
