// The matrix: one tile per enabled book. Tiles are links made once; a tick changes only attributes that differ.

import { duration, fixed, MISSING } from "./fmt.js";
import { mark, now } from "./store.js";

const STEPS = { age: [100, 500, 1000, 2500], lag: [20, 50, 100, 250], gaps: [1, 2, 4, 8], rate: [1, 5, 20, 60] };
const LEGEND = {
  state: "brightness = update rate",
  age: "age: ≤100 ms, ≤500, ≤1000, ≤2500, more",
  lag: "latency: ≤20 ms, ≤50, ≤100, ≤250, more",
  gaps: "gaps last hour: 0, 1, 2-3, 4-7, 8 and more",
};

const step = (value, limits) => limits.filter((limit) => value > limit).length;
const gapStep = (value) => STEPS.gaps.filter((limit) => value >= limit).length;

export class Tiles {
  #root;
  #fleet;
  #tiles = new Map();
  #volumes = new Map(); // key -> rank by 24 h volume
  #order = "volume";
  #words = [];
  colour = "state";
  focused = null;

  constructor(root, fleet) {
    this.#root = root;
    this.#fleet = fleet;
    for (const tile of root.querySelectorAll(".tile")) {
      this.#tiles.set(tile.dataset.key, tile);
      this.#volumes.set(tile.dataset.key, Number(tile.dataset.rank));
    }
  }

  /** Draw the rows that changed and take away those that are gone. */
  draw(changed, gone) {
    let moved = false;
    for (const key of gone) {
      this.#tiles.get(key)?.remove();
      this.#tiles.delete(key);
    }
    for (const row of changed) {
      let tile = this.#tiles.get(row.key);
      if (tile === undefined) {
        tile = this.#make(row);
        moved = true;
      }
      this.#paint(tile, row);
    }
    if (moved) this.sort(this.#order);
  }

  #make(row) {
    const tile = document.createElement("a");
    tile.className = "tile";
    tile.dataset.key = row.key;
    tile.href = `/book/${row.exchange}/${row.market}/${row.pair.replace("/", "-")}/`;
    tile.tabIndex = -1;
    this.#tiles.set(row.key, tile);
    this.#strip(row.exchange, row.market).append(tile);
    return tile;
  }

  #strip(exchange, market) {
    return this.#root.querySelector(`.market[data-exchange="${exchange}"][data-market="${market}"] .strip`);
  }

  #paint(tile, row) {
    mark(tile, "st", row.state);
    mark(tile, "c", String(this.#level(row)));
    tile.setAttribute("aria-label", `${row.pair} ${row.exchange} ${row.market} ${row.state}`);
  }

  #level(row) {
    if (this.colour === "age") return step(this.#fleet.age(row, now()) ?? Infinity, STEPS.age);
    if (this.colour === "lag") return step(Math.abs(row.lag_ms ?? 0), STEPS.lag);
    if (this.colour === "gaps") return gapStep(row.gaps_1h);
    return step(row.msg_s, STEPS.rate);
  }

  /** Colour all tiles by `state`, `age`, `lag` or `gaps`; returns the legend. */
  colourBy(name) {
    this.colour = name;
    this.#root.dataset.colour = name;
    for (const row of this.#fleet.rows.values()) {
      const tile = this.#tiles.get(row.key);
      if (tile) this.#paint(tile, row);
    }
    return LEGEND[name];
  }

  sort(order) {
    this.#order = order;
    const rank = (tile) => this.#volumes.get(tile.dataset.key) ?? Infinity;
    const compare = order === "volume"
      ? (a, b) => rank(a) - rank(b) || a.dataset.key.localeCompare(b.dataset.key)
      : (a, b) => a.dataset.key.localeCompare(b.dataset.key);
    for (const strip of this.#root.querySelectorAll(".strip")) strip.append(...[...strip.children].sort(compare));
  }

  filter(text) {
    this.#words = text.toLowerCase().split(/\s+/).filter(Boolean);
    for (const [key, tile] of this.#tiles) {
      const hit = this.#words.every((word) => key.toLowerCase().includes(word));
      tile.toggleAttribute("data-out", !hit);
    }
  }

  focus(tile) {
    if (!tile) return;
    if (this.focused) this.focused.tabIndex = -1;
    this.focused = tile;
    tile.tabIndex = 0;
    tile.focus();
  }

  /** Move the focus: left and right along all tiles, up and down to the tile that lies nearest. */
  move(key) {
    const all = [...this.#root.querySelectorAll(".tile:not([data-out])")];
    const at = all.indexOf(this.focused);
    if (at < 0) return this.focus(all[0]);
    if (key === "ArrowLeft" || key === "ArrowRight") return this.focus(all[at + (key === "ArrowRight" ? 1 : -1)]);
    const from = this.focused.getBoundingClientRect();
    const down = key === "ArrowDown";
    const lines = all
      .map((tile) => ({ tile, box: tile.getBoundingClientRect() }))
      .filter(({ box }) => (down ? box.top > from.bottom - 2 : box.bottom < from.top + 2));
    const distance = ({ box }) => Math.abs(box.top - from.top) * 4 + Math.abs(box.left - from.left);
    return this.focus(lines.sort((a, b) => distance(a) - distance(b))[0]?.tile);
  }

  /** Focus the next tile that is not live. */
  nextNotLive() {
    const bad = [...this.#root.querySelectorAll('.tile:not([data-st="LIVE"])')];
    const after = bad.filter((tile) => this.focused && this.focused.compareDocumentPosition(tile) & 4);
    this.focus(after[0] ?? bad[0]);
  }
}

/** The lines of the card of one tile: label and value. */
export function cardLines(row, age) {
  return [
    ["State", row.state],
    ["Age", `${duration(age)} of ${duration(row.limit_ms)}`],
    ["Exchange lag", row.lag_ms === null ? MISSING : `${fixed(row.lag_ms, 0)} ms`],
    ["Updates", `${fixed(row.msg_s, 1)} /s`],
    ["Gaps, last hour", fixed(row.gaps_1h, 0)],
    ["Resyncs", fixed(row.resyncs, 0)],
    ["Owner", row.daemon === null ? MISSING : `${row.daemon} fence ${row.fence}`],
    ["Reason", row.reason ?? MISSING],
  ];
}
