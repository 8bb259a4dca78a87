// The ladder: rows made once, then only changed text nodes and the scale of the bars.

import { group, significant, split, thousands } from "./fmt.js";
import { mark, write } from "./store.js";

const ROW_HEIGHT = 19;

/** Sum levels into buckets of `multiple` ticks: bids round down and asks up, so grouping never shows a better price. */
export function grouped(levels, side, tick, multiple, digits) {
  if (multiple === 1) return levels.map(([price, size]) => ({ price, size: Number(size), text: size }));
  const step = Number(tick) * multiple;
  const out = [];
  for (const [price, size] of levels) {
    const ticks = Math.round(Number(price) / Number(tick));
    const bucket = side === "bid" ? Math.floor(ticks / multiple) : Math.ceil(ticks / multiple);
    const last = out[out.length - 1];
    if (last?.bucket === bucket) last.size += Number(size);
    else out.push({ bucket, price: (bucket * step).toFixed(digits), size: Number(size) });
  }
  return out;
}

class Row {
  constructor(node) {
    this.node = node;
    [this.cum, this.bar] = node.querySelectorAll("i");
    [this.head, this.tail] = node.querySelectorAll(".p > *");
    [this.size, this.total, this.quote] = node.querySelectorAll(".v");
    this.was = null;
    this.flashed = 0;
  }

  blank() {
    mark(this.node, "empty", "1");
    this.was = null;
  }

  draw(level, texts, shares, flash) {
    mark(this.node, "empty", "");
    const [head, tail] = split(level.price);
    write(this.head, head);
    write(this.tail, tail);
    write(this.size, texts.size);
    write(this.total, texts.total);
    write(this.quote, texts.quote);
    this.cum.style.transform = `scaleX(${shares.total.toFixed(4)})`;
    this.bar.style.transform = `scaleX(${shares.size.toFixed(4)})`;
    const changed = this.was !== null && this.was.price === level.price && this.was.size !== level.size;
    if (flash && changed && performance.now() - this.flashed > 250) this.#flash();
    this.was = { price: level.price, size: level.size };
  }

  #flash() {
    this.flashed = performance.now();
    this.node.animate([{ backgroundColor: "var(--flash)" }, { backgroundColor: "transparent" }], 250);
  }
}

export class Ladder {
  #asks;
  #bids;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  multiple = 1;
  inQuote = false;

  constructor(root, { tick, sizeDigits, priceDigits }) {
    this.tick = tick;
    this.sizeDigits = sizeDigits;
    this.priceDigits = priceDigits;
    this.root = root;
    this.#asks = { side: "ask", node: root.querySelector(".asks"), rows: [] };
    this.#bids = { side: "bid", node: root.querySelector(".bids"), rows: [] };
    for (const one of [this.#asks, this.#bids]) {
      one.rows = [...one.node.querySelectorAll(".lv")].map((node) => new Row(node));
    }
    new ResizeObserver(() => this.#wholeRows()).observe(root);
  }

  /** No row is cut: each side is a whole number of rows high. */
  #wholeRows() {
    for (const { node } of [this.#asks, this.#bids]) {
      node.style.maxHeight = "none";
      node.style.maxHeight = `${Math.floor(node.clientHeight / ROW_HEIGHT) * ROW_HEIGHT}px`;
    }
  }

  /** How many rows a side has; rows are added, never taken away while drawing. */
  resize(count) {
    for (const one of [this.#asks, this.#bids]) {
      const model = one.node.querySelector(".lv");
      while (one.rows.length < count) {
        const node = model.cloneNode(true);
        one.node.append(node);
        one.rows.push(new Row(node));
      }
      one.rows.forEach((row, index) => { row.node.hidden = index >= count; });
    }
  }

  /** Draw `book` ({b, a}: levels as strings, best first); null clears. */
  draw(book) {
    const empty = { b: [], a: [] };
    const asks = this.#levels((book ?? empty).a, "ask");
    const bids = this.#levels((book ?? empty).b, "bid");
    const top = { total: Math.max(sum(asks), sum(bids)), size: Math.max(largest(asks), largest(bids)) };
    this.#side(this.#asks, asks, top);
    this.#side(this.#bids, bids, top);
  }

  #levels(levels, side) {
    return grouped(levels, side, this.tick, this.multiple, this.priceDigits);
  }

  #side({ rows }, levels, top) {
    let total = 0;
    let quote = 0;
    rows.forEach((row, index) => {
      const level = levels[index];
      if (level === undefined) {
        row.blank();
        return;
      }
      total += level.size;
      quote += level.size * Number(level.price);
      const shares = { total: total / top.total, size: level.size / top.size };
      row.draw(level, this.#texts(level, total, quote), shares, !this.#calm.matches);
    });
  }

  #texts(level, total, quote) {
    const size = this.inQuote
      ? significant(level.size * Number(level.price))
      : group(level.text ?? level.size.toFixed(this.sizeDigits));
    return { size, total: significant(total, 6, this.sizeDigits), quote: thousands(quote) };
  }
}

const sum = (levels) => levels.reduce((all, level) => all + level.size, 0) || 1;
const largest = (levels) => levels.reduce((most, level) => Math.max(most, level.size), 0) || 1;
