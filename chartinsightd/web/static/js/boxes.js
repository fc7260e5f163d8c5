/**
 * Places already taken in one frame, so that no text lies on another: what finds no room is left out.
 * @module
 */

/** Boxes are kept by columns of this width: a question looks at its own neighbourhood only. */
const COLUMN = 64;

export class Boxes {
  constructor() {
    /** @type {Map<number, {x: number, y: number, right: number, bottom: number}[]>} */
    this.columns = new Map();
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  take(x, y, width, height) {
    const box = { x, y, right: x + width, bottom: y + height };
    for (let column = Math.floor(x / COLUMN); column <= Math.floor(box.right / COLUMN); column += 1) {
      const held = this.columns.get(column);
      if (held) held.push(box);
      else this.columns.set(column, [box]);
    }
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  isFree(x, y, width, height) {
    const right = x + width;
    const bottom = y + height;
    for (let column = Math.floor(x / COLUMN); column <= Math.floor(right / COLUMN); column += 1) {
      for (const box of this.columns.get(column) ?? []) {
        if (x < box.right && right > box.x && y < box.bottom && bottom > box.y) return false;
      }
    }
    return true;
  }
}
