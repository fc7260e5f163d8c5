/**
 * Asking the daemon. A refusal or a broken line is thrown as a `Problem`, never swallowed and never filled with anything else.
 * @module
 */

/** A question without an answer is given up after this time; the daemon itself gives up after 25 s. */
const TIMEOUT_MS = 28_000;

/** What went wrong: the daemon's own words where there are any; `status` 0 when it was not reached. */
export class Problem extends Error {
  /** @param {number} status @param {{type?: string, detail?: string, title?: string, remedy?: string, errors?: string[]}} [told] */
  constructor(status, told = {}) {
    super(told.detail || told.title || '');
    this.status = status;
    this.isOfDatabase = told.type === 'urn:chartinsight:database-away';
    this.remedy = told.remedy ?? '';
    this.errors = told.errors ?? [];
  }
}

/** @param {string} path @param {Record<string, any>} [query] lists repeat the name; null is left out */
export function addressOf(path, query = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== null && one !== undefined) parameters.append(name, String(one));
  }
  const text = parameters.toString();
  return `/v1/${path}${text ? `?${text}` : ''}`;
}

/** @param {string} path @param {Record<string, any>} [query] @param {{timeout?: number}} [options] */
export function get(path, query = {}, { timeout = TIMEOUT_MS } = {}) {
  return ask(addressOf(path, query), { headers: { Accept: 'application/json' } }, timeout);
}

/** @param {string} path @param {any} body */
export function post(path, body) {
  const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
  return ask(`/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) }, TIMEOUT_MS);
}

/** @param {string} address @param {RequestInit} request @param {number} timeout */
async function ask(address, request, timeout) {
  let response;
  try {
    response = await fetch(address, { ...request, cache: 'no-cache', signal: AbortSignal.timeout(timeout) });
  } catch {
    throw new Problem(0);
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok || answer === null) throw new Problem(response.ok ? 0 : response.status, answer ?? {});
  return answer;
}
