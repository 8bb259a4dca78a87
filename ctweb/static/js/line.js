// The line of the mid and the bars of the spread: fixed rings of the last five minutes, drawn by uPlot (global).

import { fixed, sideOf } from "./fmt.js";

const EVERY_MS = 500;
const KEEP = (5 * 60 * 1000) / EVERY_MS;
const TRADES = 200;
const DOT = 2.2; // radius, px
const LINE_COLOURS = { bid: "--bid", ask: "--ask", dim: "--t3" };

export class MidLine {
  #root;
  #plot = null;
  #times = [];
  #mids = [];
  #spreads = [];
  #trades = [];
  #last = 0;
  #digits;
  seconds = 300;

  constructor(root, digits) {
    this.#root = root;
    this.#digits = digits;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(root);
    document.addEventListener("theme", () => this.#rebuild());
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.#rebuild());
  }

  /** Note the moment (server's clock, ms); a null quote breaks the line. */
  add(ms, quote) {
    if (ms - this.#last < EVERY_MS) return false;
    this.#last = ms;
    this.#times.push(ms / 1000);
    this.#mids.push(quote === null ? null : quote.mid);
    this.#spreads.push(quote === null ? null : quote.ticks);
    for (const ring of [this.#times, this.#mids, this.#spreads]) if (ring.length > KEEP) ring.shift();
    return true;
  }

  trade(ms, price, side) {
    this.#trades.push({ at: ms / 1000, price, side });
    if (this.#trades.length > TRADES) this.#trades.shift();
  }

  draw() {
    if (this.#plot === null) this.#build();
    const end = this.#last / 1000;
    this.#plot.batch(() => {
      this.#plot.setData([this.#times, this.#mids, this.#spreads], false);
      this.#plot.setScale("x", { min: end - this.seconds, max: end });
    });
    this.#root.setAttribute("aria-label", this.#summary());
  }

  #summary() {
    const seen = this.#mids.filter((mid) => mid !== null);
    if (!seen.length) return "no mid yet";
    const low = fixed(Math.min(...seen), this.#digits);
    return `mid ${low} to ${fixed(Math.max(...seen), this.#digits)} in ${this.seconds / 60} min`;
  }

  #size() {
    return { width: this.#root.clientWidth, height: this.#root.clientHeight };
  }

  #rebuild() {
    this.#plot?.destroy();
    this.#plot = null;
    if (this.#times.length) this.draw();
  }

  #visible() {
    const from = this.#last / 1000 - this.seconds;
    return this.#mids.filter((mid, index) => mid !== null && this.#times[index] >= from);
  }

  #build() {
    const css = getComputedStyle(this.#root);
    const colour = (name) => css.getPropertyValue(name).trim();
    const axis = { stroke: colour("--t3"), font: "11px Inter, sans-serif", grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const options = {
      ...this.#size(),
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      padding: [8, 0, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales: {
        x: { time: true },
        y: { range: () => padded(this.#visible()) },
        ticks: { range: (_, low, high) => [0, Math.max(8, (high ?? 1) * 6)] },
      },
      axes: [
        { ...axis, size: 26, space: 90, values: (_, splits) => splits.map((s) => new Date(s * 1000).toISOString().slice(11, 19)) },
        { ...axis, side: 1, size: 86, space: 60, values: (_, splits) => splits.map((v) => fixed(v, this.#digits)) },
      ],
      series: [
        {},
        { stroke: colour("--acc"), width: 1.4, fill: colour("--acc-wash"), points: { show: false } },
        { scale: "ticks", stroke: colour("--sync"), paths: uPlot.paths.bars({ size: [0.5, 2] }), points: { show: false } },
      ],
      hooks: { draw: [(plot) => this.#overlay(plot, colour)] },
    };
    this.#plot = new uPlot(options, [this.#times, this.#mids, this.#spreads], this.#root);
  }

  /** Trade dots, and the last mid as a line with its label on the axis. */
  #overlay(plot, colour) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    for (const one of this.#trades) {
      const [x, y] = [plot.valToPos(one.at, "x", true), plot.valToPos(one.price, "y", true)];
      if (x < bbox.left || y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.beginPath();
      ctx.arc(x, y, DOT * ratio, 0, 7);
      ctx.fillStyle = colour(LINE_COLOURS[sideOf(one)[1]]);
      ctx.globalAlpha = 0.65;
      ctx.fill();
    }
    ctx.globalAlpha = 1;
    const mid = this.#mids[this.#mids.length - 1];
    if (mid !== null && mid !== undefined) label(ctx, bbox, plot.valToPos(mid, "y", true), fixed(mid, this.#digits), colour, ratio);
    ctx.restore();
  }
}

function label(ctx, bbox, y, text, colour, ratio) {
  ctx.strokeStyle = colour("--acc");
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.setLineDash([]);
  const [x, height] = [bbox.left + bbox.width + 2 * ratio, 17 * ratio];
  ctx.fillStyle = colour("--acc");
  ctx.beginPath();
  ctx.roundRect(x, y - height / 2, 82 * ratio, height, 4 * ratio);
  ctx.fill();
  ctx.fillStyle = colour("--on-acc");
  ctx.font = `600 ${11 * ratio}px Inter, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(text, x + 6 * ratio, y);
}

/** The lower part of the chart belongs to the spread: the mid's range leaves a fifth below. */
function padded(values) {
  if (!values.length) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(high - low, high * 1e-6);
  return [low - room * 0.3, high + room * 0.08];
}
