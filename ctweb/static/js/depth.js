// The depth chart: cumulative size within some bp of the mid, drawn on one canvas. The wheel changes the range.

import { curve, quote } from "./figures.js";
import { group, significant } from "./fmt.js";
import { write } from "./store.js";

const RANGES = [1, 2, 5, 10, 20, 50, 100];
const FONT = "11px Inter, sans-serif";

export class DepthChart {
  #canvas;
  #legend;
  #range = RANGES.indexOf(10);

  constructor(canvas, legend, { base, redraw }) {
    this.#canvas = canvas;
    this.#legend = legend;
    this.base = base;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.#range = Math.max(0, Math.min(RANGES.length - 1, this.#range + Math.sign(event.deltaY)));
      redraw();
    }, { passive: false });
  }

  draw(book, tick, midDigits) {
    const context = fit(this.#canvas);
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    context.clearRect(0, 0, width, height);
    const now = quote(book, tick);
    if (now === null) {
      write(this.#legend.bid, "–");
      write(this.#legend.ask, "–");
      this.#canvas.setAttribute("aria-label", "no book");
      return;
    }
    const bp = RANGES[this.#range];
    const [bids, asks] = [curve(book.b, now.mid, bp), curve(book.a, now.mid, bp)];
    const top = Math.max(bids.total, asks.total) * 1.15 || 1;
    const area = { width, height: height - 18, bp, top };
    const colours = getComputedStyle(this.#canvas);
    const colour = (name) => colours.getPropertyValue(name);
    grid(context, area, this.base, colour);
    side(context, bids, -1, area, colour("--bid"), colour("--bid-bar"));
    side(context, asks, 1, area, colour("--ask"), colour("--ask-bar"));
    axis(context, area, group(now.mid.toFixed(midDigits)), colour("--t3"));
    const mark = (one) => (one.whole ? "" : "≥ ");
    write(this.#legend.range, `cumulative, ±${bp} bp`);
    write(this.#legend.bid, `bid ${mark(bids)}${significant(bids.total, 4)} ${this.base}`);
    write(this.#legend.ask, `ask ${mark(asks)}${significant(asks.total, 4)} ${this.base}`);
    this.#canvas.setAttribute("aria-label", `within ${bp} bp: bids ${bids.total}, asks ${asks.total} ${this.base}`);
  }
}

/** The canvas's context at the screen's own resolution. */
function fit(canvas) {
  const ratio = devicePixelRatio;
  const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

function side(context, { points, total }, sign, { width, height, bp, top }, line, fill) {
  if (!points.length) return;
  const x = (distance) => width / 2 + (sign * distance * width) / (2 * bp);
  const y = (size) => height - (size * height) / top;
  context.beginPath();
  context.moveTo(x(points[0][0]), height);
  let last = height;
  for (const [distance, size] of points) {
    context.lineTo(x(distance), last);
    last = y(size);
    context.lineTo(x(distance), last);
  }
  const end = points[points.length - 1][0];
  context.lineTo(x(end), y(total));
  context.strokeStyle = line;
  context.lineWidth = 1.3;
  context.stroke();
  context.lineTo(x(end), height);
  context.closePath();
  context.fillStyle = fill;
  context.fill();
}

function grid(context, { width, height, top }, base, colour) {
  const raw = top / 3;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * unit).find((n) => n >= raw);
  context.font = FONT;
  context.strokeStyle = colour("--line");
  context.fillStyle = colour("--t3");
  for (let size = step; size < top; size += step) {
    const y = Math.round(height - (size * height) / top) + 0.5;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
    context.fillText(`${significant(size, 2)} ${base}`, 6, y - 4);
  }
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(width / 2, 0);
  context.lineTo(width / 2, height);
  context.stroke();
  context.setLineDash([]);
}

function axis(context, { width, height, bp }, mid, colour) {
  const y = height + 13;
  context.font = FONT;
  context.fillStyle = colour;
  const labels = [["left", `−${bp} bp`, 4], ["center", `−${bp / 2}`, width / 4], ["center", mid, width / 2],
    ["center", `+${bp / 2}`, (width * 3) / 4], ["right", `+${bp} bp`, width - 4]];
  for (const [align, text, x] of labels) {
    context.textAlign = align;
    context.fillText(text, x, y);
  }
  context.textAlign = "left";
}
