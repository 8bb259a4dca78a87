// The table of the catalogue: as many rows as fit are made once and moved along while scrolling.

import { duration, fixed, MISSING, short } from "./fmt.js";
import { serverNow } from "./link.js";
import { mark, write } from "./store.js";

export const ROW_HEIGHT = 31;
const STEPS = ["PENDING", "SUBSCRIBED", "SYNCED"];
const LATE_MS = 5000;
const SHOWN_AFTER_SYNC_MS = 10000;

function part(tag, className, text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

/** One line; `operator` lines have a box, a switch and a choice of depth. */
class Line {
  constructor(operator) {
    this.node = part("div", "row");
    this.node.setAttribute("role", "row");
    this.node.dataset.live = "1";
    this.box = Object.assign(part("input", "pick"), { type: "checkbox" });
    this.exchange = part("span", "exchange");
    this.market = part("span", "market");
    this.pair = part("a", "pair");
    this.on = part("button", "switch");
    this.on.setAttribute("role", "switch");
    this.state = part("span", "steps");
    [this.volume, this.tick, this.lot, this.daemon] = ["vol", "tick", "lot", "daemon"].map((name) => part("span", `n ${name}`));
    this.depth = part("select", "depth");
    this.box.disabled = this.on.disabled = this.depth.disabled = !operator;
    this.node.append(this.box, this.exchange, this.market, this.pair, this.on, this.state, this.volume, this.tick, this.lot, this.depth, this.daemon);
    this.operator = operator;
    this.key = null;
  }

  /** `row` of the catalogue, `held` its row of the fleet or undefined, `ask` what was asked for and not yet seen. */
  draw(index, row, { held, ask, words, chosen, active, age, depth }) {
    this.node.hidden = false;
    this.node.style.transform = `translateY(${index * ROW_HEIGHT}px)`;
    if (this.key !== row.key || this.words !== words) this.#identify(row, words);
    mark(this.node, "active", active ? "1" : "");
    mark(this.node, "chosen", chosen ? "1" : "");
    this.box.checked = chosen;
    const on = ask === undefined ? held !== undefined : ask.enabled;
    this.on.setAttribute("aria-checked", String(on));
    this.on.disabled = !this.operator || (row.status !== "trading" && !on);
    if (document.activeElement !== this.depth) this.depth.value = String(depth);
    write(this.daemon, held?.daemon ?? MISSING);
    this.#drawState(row, held, ask, on, age);
  }

  /** Out of use: it stands for no pair. */
  hide() {
    this.node.hidden = true;
    this.key = null;
    delete this.node.dataset.key;
  }

  #identify(row, words) {
    this.key = row.key;
    this.words = words;
    this.node.dataset.key = row.key;
    write(this.exchange, row.exchange);
    write(this.market, row.market);
    this.pair.href = row.url;
    this.pair.title = row.symbol;
    this.pair.replaceChildren(...marked(row.base, words), part("span", "", `/${row.quote}`));
    this.on.setAttribute("aria-label", `${row.pair} ${row.exchange} ${row.market}`);
    this.box.setAttribute("aria-label", `select ${row.pair} ${row.exchange} ${row.market}`);
    this.depth.setAttribute("aria-label", `depth of ${row.pair} ${row.exchange} ${row.market}`);
    this.#offer(row.depths);
    write(this.volume, short(row.volume));
    write(this.tick, row.tick);
    write(this.lot, row.lot);
    this.tick.title = row.tick;
    this.lot.title = row.lot;
  }

  #offer(depths) {
    if (this.offered === String(depths)) return;
    this.offered = String(depths);
    this.depth.replaceChildren(...depths.map((depth) => new Option(depth || "full", depth)));
  }

  #drawState(row, held, ask, on, age) {
    mark(this.node, "late", "");
    if (!on) {
      write(this.state, row.status === "trading" ? "off" : `off · ${row.status} by exchange`);
      return;
    }
    const starting = start(held, ask);
    if (starting !== null) {
      mark(this.node, "late", serverNow() - starting.from > LATE_MS && !starting.synced ? "1" : "");
      this.state.replaceChildren(...steps(starting));
      return;
    }
    const state = part("span", "st", held.state);
    state.dataset.st = held.state;
    const detail = held.state === "LIVE" || !held.reason ? duration(age) : `${duration(age)} · ${held.reason}`;
    this.state.replaceChildren(state, ` ${detail}`);
    this.state.title = held.reason ?? "";
  }
}

/** When a row is starting: its moments; null when it has been synced for a while. */
function start(held, ask) {
  const from = ask?.at ?? held?.asked_ms ?? null;
  if (held === undefined) return { from: from ?? serverNow(), times: [null, null, null], synced: false, reason: null };
  if (held.synced_ms !== null && (ask === undefined || serverNow() - held.synced_ms > SHOWN_AFTER_SYNC_MS)) return null;
  if (held.synced_ms === null && held.asked_ms === null && held.reason) return null;
  if (from === null) return null;
  const times = [held.asked_ms, held.subscribed_ms, held.synced_ms].map((at) => (at === null ? null : Math.max(0, at - from)));
  return { from, times, synced: held.synced_ms !== null, reason: held.reason };
}

/** "PENDING 0.2 s › SUBSCRIBED 0.9 s › SYNCED", each marked as done, now or not yet. */
function steps({ times, reason }) {
  const reached = times.filter((time) => time !== null).length;
  const nodes = STEPS.flatMap((name, index) => {
    const node = part("span", "step", name);
    node.dataset.done = index < reached ? "1" : index === reached ? "now" : "0";
    const time = times[index] === null ? "" : ` ${fixed(times[index] / 1000, 1)} s`;
    return [node, `${time}${index < 2 ? " › " : ""}`];
  });
  return reason ? [...nodes, ` · ${reason}`] : nodes;
}

/** `text` with the part that a word matched marked. */
function marked(text, words) {
  const lower = text.toLowerCase();
  const hit = words.find((word) => lower.includes(word));
  if (hit === undefined) return [text];
  const at = lower.indexOf(hit);
  return [text.slice(0, at), part("mark", "", text.slice(at, at + hit.length)), text.slice(at + hit.length)];
}

export class PairTable {
  #view;
  #space;
  #lines = [];
  #operator;
  rows = [];

  constructor(view, space, operator) {
    this.#view = view;
    this.#space = space;
    this.#operator = operator;
  }

  /** Draw what is in view; `describe(row)` gives the rest that Line.draw needs. */
  draw(describe) {
    this.#space.style.height = `${this.rows.length * ROW_HEIGHT}px`;
    const first = Math.max(0, Math.floor(this.#view.scrollTop / ROW_HEIGHT) - 4);
    const count = Math.min(this.rows.length - first, Math.ceil(this.#view.clientHeight / ROW_HEIGHT) + 8);
    while (this.#lines.length < count) {
      const line = new Line(this.#operator);
      this.#lines.push(line);
      this.#space.append(line.node);
    }
    this.#lines.forEach((line, index) => {
      if (index < count) line.draw(first + index, this.rows[first + index], describe(this.rows[first + index]));
      else line.hide();
    });
  }

  /** Take the server's rows away: from now on ours are drawn. */
  takeOver() {
    this.#space.replaceChildren();
  }

  reveal(index) {
    const top = index * ROW_HEIGHT;
    if (top < this.#view.scrollTop) this.#view.scrollTop = top;
    const bottom = top + ROW_HEIGHT - this.#view.clientHeight;
    if (bottom > this.#view.scrollTop) this.#view.scrollTop = bottom;
  }
}
