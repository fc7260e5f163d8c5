/**
 * Places already taken in one frame, so that no text lies on another: what finds no room is left out.
 * @module
 */

export class Boxes {
  constructor() {
    /** @type {[number, number, number, number][]} */
    this.taken = [];
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  take(x, y, width, height) {
    this.taken.push([x, y, width, height]);
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  isFree(x, y, width, height) {
    return !this.taken.some(([left, top, w, h]) => x < left + w && x + width > left && y < top + h && y + height > top);
  }
}
