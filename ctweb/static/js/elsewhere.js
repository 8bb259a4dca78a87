// The same pair on other exchanges and markets, and the edge between any two: only LIVE books give a number.

import { edge } from "./figures.js";
import { bp, duration, fixed, group, MISSING } from "./fmt.js";
import { Age, mark, write } from "./store.js";

export class Elsewhere {
  #books = new Map(); // key -> {row, name, s, b, a, age, limit}
  #matrix;

  constructor(table, matrix) {
    for (const row of table.rows) {
      this.#books.set(row.dataset.key, { row, s: "OFF", b: null, a: null, age: new Age(), limit: 5000 });
    }
    this.#matrix = matrix;
  }

  keys() {
    return [...this.#books.keys()];
  }

  take(key, message) {
    const book = this.#books.get(key);
    book.s = message.s;
    book.age.set(message.age);
    if (message.b !== undefined) {
      book.b = message.b[0]?.[0] ?? null;
      book.a = message.a[0]?.[0] ?? null;
      book.limit = message.limit ?? book.limit;
      if (message.fence === undefined && !book.row.dataset.enabled) book.s = "OFF"; // nobody publishes it, as is right
    }
  }

  /** `lost`: nothing is current any more. */
  draw(lost) {
    for (const book of this.#books.values()) drawRow(book, lost);
    this.#drawMatrix(lost);
  }

  #drawMatrix(lost) {
    const books = [...this.#books.values()];
    books.forEach((buy, line) => books.forEach((sell, column) => {
      const cell = this.#matrix.rows[line].cells[column + 1];
      if (line === column) return;
      const known = !lost && isLive(buy) && isLive(sell);
      const value = known ? edge(Number(buy.a), Number(sell.b)) : null;
      write(cell, known ? bp(value) : MISSING);
      mark(cell, "edge", known ? (value > 0 ? "gain" : "loss") : "unknown");
    }));
  }
}

function isLive(book) {
  return book.s === "LIVE" && book.b !== null && (book.age.get() ?? Infinity) <= book.limit;
}

function drawRow(book, lost) {
  const [name, age, bid, ask, spread] = book.row.cells;
  const ms = book.age.get();
  const state = book.s === "LIVE" && ms > book.limit ? "STALE" : book.s;
  mark(name.querySelector(".st"), "st", state);
  write(age, ms === null || state === "OFF" ? MISSING : duration(ms));
  age.classList.toggle("warn", state === "STALE");
  const known = book.b !== null && book.a !== null;
  write(bid, known ? group(book.b) : MISSING);
  write(ask, known ? group(book.a) : MISSING);
  const [low, high] = [Number(book.b), Number(book.a)];
  write(spread, known && isLive(book) ? fixed(((high - low) / ((high + low) / 2)) * 1e4, 2) : MISSING);
  mark(book.row, "stale", state === "LIVE" && !lost ? "" : "1");
}
