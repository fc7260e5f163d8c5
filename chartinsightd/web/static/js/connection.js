/**
 * The line to the daemon: its session, its event stream, and the truth about both. A line that breaks is told at once
 * and tried again; a session that ended is told with the command that opens a new one.
 * @module
 */
import { addressOf, get, post } from './api.js';

/** The session is asked this often: a daemon that hangs is noticed within two of these. */
const POLL_MS = 6_000;
const POLL_TIMEOUT_MS = 6_000;
/** Waits between tries after a loss, in seconds; the last one repeats. */
export const WAITS = [2, 4, 6, 10, 15];
const TYPES = ['candle', 'analysis', 'label', 'symbols', 'alert', 'note', 'watchlist', 'reset', 'dropped'];

/**
 * Tells `change` when its state changes, `second` each second while away, and each event of the stream under its own name.
 */
export class Connection extends EventTarget {
  constructor() {
    super();
    /** @type {'opening' | 'live' | 'away' | 'ended'} */
    this.state = 'opening';
    /** @type {any} the newest answer of /v1/session */
    this.session = null;
    /** Daemon time of what arrived last, epoch seconds; 0: nothing yet. */
    this.lastHeard = 0;
    this.wait = 0;
    this.tries = 0;
    this.after = '';
    this.heardAt = 0;
    /** @type {EventSource | null} */
    this.stream = null;
  }

  /** The daemon's clock, carried on since its last word. */
  now() {
    return this.lastHeard ? this.lastHeard + Math.floor((performance.now() - this.heardAt) / 1000) : 0;
  }

  /** @param {string | null} token the one-time token of the address */
  async open(token) {
    try {
      this.heard(token ? await post('session', { token }) : await get('session', {}, { timeout: POLL_TIMEOUT_MS }));
      this.become('live');
      this.listen();
    } catch (problem) {
      this.lost(problem);
    }
    setInterval(() => this.poll(), POLL_MS);
    setInterval(() => this.second(), 1000);
  }

  /** @param {any} session */
  heard(session) {
    this.session = session;
    this.lastHeard = session.now;
    this.heardAt = performance.now();
  }

  async poll() {
    if (this.state !== 'live') return;
    try {
      this.heard(await get('session', {}, { timeout: POLL_TIMEOUT_MS }));
      if (!this.stream) this.listen();
      this.tell('change');
    } catch (problem) {
      this.lost(problem);
    }
  }

  listen() {
    this.stream?.close();
    const stream = new EventSource(addressOf('events', { after: this.after || null }));
    for (const type of TYPES) stream.addEventListener(type, (message) => this.took(type, /** @type {MessageEvent} */ (message)));
    stream.addEventListener('error', () => this.broke());
    this.stream = stream;
  }

  /** @param {string} type @param {MessageEvent} message */
  took(type, message) {
    const event = JSON.parse(message.data);
    this.after = message.lastEventId || this.after;
    if (event.at > this.lastHeard) {
      this.lastHeard = event.at;
      this.heardAt = performance.now();
    }
    if (type === 'dropped') this.broke();
    else this.tell(type, event.data);
  }

  /** The stream ended. Whether the daemon is away or the session over, the next try says. */
  broke() {
    this.stream?.close();
    this.stream = null;
    if (this.state === 'live') this.poll();
  }

  /** @param {any} problem */
  lost(problem) {
    this.stream?.close();
    this.stream = null;
    this.wait = WAITS[Math.min(this.tries, WAITS.length - 1)];
    this.tries += 1;
    this.become(problem.status === 401 ? 'ended' : 'away');
  }

  second() {
    if (this.state === 'away') {
      this.wait -= 1;
      if (this.wait <= 0) this.retry();
    }
    this.tell('second');
  }

  async retry() {
    this.wait = POLL_TIMEOUT_MS / 1000;
    try {
      this.heard(await get('session', {}, { timeout: POLL_TIMEOUT_MS }));
    } catch (problem) {
      this.lost(problem);
      return;
    }
    this.tries = 0;
    this.become('live');
    this.listen();
    this.tell('back');
  }

  /** @param {'live' | 'away' | 'ended'} state */
  become(state) {
    this.state = state;
    this.tell('change');
  }

  /** @param {string} type @param {any} [detail] */
  tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
