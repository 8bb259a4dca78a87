// The tape: the last trades, newest first; rows are made once and their texts move down.

import { clock, group, sideOf } from "./fmt.js";
import { mark, write } from "./store.js";

const ROWS = 50;
const HOUR_SIZES = 2000;

export class Tape {
  #rows;
  #trades = [];
  #sizes = [];
  #large = Infinity;

  constructor(body) {
    const model = body.querySelector("tr");
    while (body.rows.length < ROWS) body.append(model.cloneNode(true));
    this.#rows = [...body.rows];
  }

  /** Take prints, oldest first: [id, side, price, size, exchange ms]; returns those that are new. */
  take(prints) {
    const known = new Set(this.#trades.map((one) => one.id));
    const fresh = prints
      .filter(([id]) => !known.has(id))
      .map(([id, side, price, size, ms]) => ({ id, side, price, size, ms, amount: Number(size) }));
    this.#trades = [...fresh.reverse(), ...this.#trades].slice(0, ROWS);
    this.#sizes = [...this.#sizes, ...fresh.map((one) => one.amount)].slice(-HOUR_SIZES);
    const sorted = [...this.#sizes].sort((a, b) => a - b);
    this.#large = sorted.length >= 20 ? sorted[Math.floor(sorted.length * 0.95)] : Infinity;
    return fresh;
  }

  get last() {
    return this.#trades[0];
  }

  /** Whether a trade is among the largest twentieth. */
  isLarge(one) {
    return one.amount >= this.#large;
  }

  /** Trades a second and the share of buys among those shown whose side is known, over their own time. */
  pace(nowMs) {
    const recent = this.#trades.filter((one) => nowMs - one.ms < 10000);
    const told = this.#trades.filter((one) => one.side === "buy" || one.side === "sell");
    const bought = told.filter((one) => one.side === "buy").length;
    const span = recent.length === ROWS ? (nowMs - recent[ROWS - 1].ms) / 1000 : 10;
    return { rate: recent.length / Math.max(span, 0.1), buys: told.length ? bought / told.length : null };
  }

  draw() {
    this.#rows.forEach((row, index) => {
      const one = this.#trades[index];
      row.hidden = one === undefined;
      if (one === undefined) return;
      const [time, price, size] = row.cells;
      write(time, clock(one.ms, 2));
      const [sign, tone] = sideOf(one);
      write(price, `${sign} ${group(one.price)}`);
      price.className = `n ${tone}`;
      write(size, group(one.size));
      mark(size, "large", this.isLarge(one) ? "1" : "");
    });
  }
}
