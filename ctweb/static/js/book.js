// The Book page: one live book, trusted. Every number here is of the last frame, with its age; nothing else is drawn.

import { BookHead } from "./bookhead.js";
import { DepthChart } from "./depth.js";
import { Elsewhere } from "./elsewhere.js";
import { balance, cost, quote } from "./figures.js";
import { decimals, duration, fixed, group, MISSING, sideOf } from "./fmt.js";
import { startFrame } from "./frame.js";
import { onKey } from "./keys.js";
import { Ladder } from "./ladder.js";
import { MidLine } from "./line.js";
import { link, serverNow } from "./link.js";
import { Tape } from "./tape.js";
import { Age, mark, redraw, ticking, write } from "./store.js";

const byId = (id) => document.getElementById(id);
const page = byId("book");
const { key, tick, base } = page.dataset;
const digits = decimals(tick);
const midDigits = digits + 1;
const NOTIONALS = [10e3, 100e3, 500e3, 1e6];

const book = { s: "SYNCING", why: null, b: [], a: [], age: new Age(), limit: 5000, fence: 0, lag: null, seq: null };
const head = new BookHead(key, book);
const ladder = new Ladder(byId("ladder"), { tick, sizeDigits: Number(page.dataset.sizeDigits), priceDigits: digits });
const depthChart = new DepthChart(byId("depth"), { range: byId("depth-range"), bid: byId("depth-bid"), ask: byId("depth-ask") }, { base, redraw: () => redraw(drawBook) });
const line = new MidLine(byId("line"), midDigits);
const tape = new Tape(byId("tape").tBodies[0]);
const elsewhere = new Elsewhere(byId("elsewhere").tBodies[0], byId("edges").tBodies[0]);
let depth = 20;
let subscription = null;
let frozenAt = null;

const { openGoto } = startFrame();
byId("pair").addEventListener("click", openGoto);
watch(depth);
link.subscribe({ topic: "trades", key }, (message) => takeTrades(message.t));
link.subscribe({ topic: "fleet", key }, (message) => { head.takeRow(message.rows[0]); redraw(drawHead); });
for (const other of elsewhere.keys()) {
  link.subscribe({ topic: "best", key: other, hz: 5 }, (message) => { elsewhere.take(other, message); redraw(drawElsewhere); });
}
ticking(drawAges);
link.addEventListener("state", () => redraw(drawAges));

function watch(levels) {
  subscription?.close();
  subscription = link.subscribe({ topic: "book", key, depth: levels }, take, (answer) => {
    if (answer.ok) book.limit = answer.limit_ms;
    else { book.s = "DOWN"; book.why = answer.why; }
  });
}

function take(message) {
  if (message.fence !== undefined && message.fence < book.fence) {
    link.counters.lowerFences = (link.counters.lowerFences ?? 0) + 1;
    return;
  }
  book.s = message.s;
  book.age.set(message.age);
  if (message.b !== undefined) {
    const { why = null, seq = null, lag = null, limit = book.limit, fence = book.fence } = message;
    Object.assign(book, { why, seq, lag, limit, fence, b: message.b, a: message.a });
  }
  if (line.add(serverNow(), state() === "LIVE" ? quote(book, tick) : null)) redraw(drawLine);
  redraw(drawBook);
}

function takeTrades(prints) {
  for (const one of tape.take(prints)) {
    if (tape.isLarge(one)) line.trade(one.ms, Number(one.price), one.side); // the others would only cover the line
  }
  redraw(drawTape);
}

/** The state by our own clock: a LIVE book past its limit is STALE whatever was said last. */
function state() {
  if (link.state === "lost" || link.state === "opening") return "LOST";
  if (book.s === "LIVE" && (book.age.get() ?? Infinity) > book.limit) return "STALE";
  return book.s;
}

const crossed = () => book.b.length > 0 && book.a.length > 0 && Number(book.b[0][0]) >= Number(book.a[0][0]);
const drawable = () => ["LIVE", "STALE", "LOST"].includes(state()) && !crossed();

function drawBook() {
  drawHead();
  if (frozenAt !== null) return;
  const shown = drawable() ? book : null;
  mark(page, "state", state());
  ladder.draw(shown);
  drawSpread(shown);
  depthChart.draw(shown, tick, midDigits);
  drawCost(shown);
}

function drawSpread(shown) {
  const now = shown && quote(shown, tick);
  write(byId("mid"), now ? `mid ${fixed(now.mid, midDigits)} ${page.dataset.quote}` : "no mid");
  write(byId("spread"), now ? fixed(now.spread, digits) : MISSING);
  write(byId("ticks"), now ? `${now.ticks} tick${now.ticks === 1 ? "" : "s"}` : "");
  const share = now ? balance(shown) : 0.5;
  write(byId("bid-share"), now ? `${fixed(share * 100, 1)} %` : MISSING);
  write(byId("ask-share"), now ? `${fixed(100 - share * 100, 1)} %` : MISSING);
  byId("share").style.transform = `scaleX(${share})`;
  drawLast();
}

function drawLast() {
  const last = tape.last;
  if (last === undefined) return;
  const node = byId("last");
  const [sign, tone] = sideOf(last);
  node.className = tone;
  write(node, `${sign} ${group(last.price)}`);
  write(byId("last-size"), `${group(last.size)} ${base}, ${duration(Math.max(0, serverNow() - last.ms))} ago`);
}

function drawCost(shown) {
  const now = shown && quote(shown, tick);
  const rows = byId("cost").tBodies[0].rows;
  [["a", rows[0]], ["b", rows[1]]].forEach(([side, row]) => NOTIONALS.forEach((notional, index) => {
    const value = now ? cost(shown[side], now.mid, notional) : null;
    write(row.cells[index + 1], now === null ? MISSING : value === null ? "> book" : `${fixed(value, value < 0.1 ? 3 : 2)} bp`);
  }));
}

function drawHead() {
  head.draw(state(), crossed(), link.state === "lost");
  mark(page, "state", state());
}

const drawLine = () => line.draw();
const drawElsewhere = () => elsewhere.draw(link.state === "lost");

function drawTape() {
  tape.draw();
  drawLast();
  const { rate, buys } = tape.pace(serverNow());
  write(byId("tape-rate"), `${fixed(rate, 1)} /s`);
  write(byId("tape-buys"), buys === null ? "" : `▲ ${fixed(buys * 100, 0)} %`);
  write(byId("tape-sells"), buys === null ? "" : `▼ ${fixed(100 - buys * 100, 0)} %`);
}

function drawAges() {
  if (page.dataset.state !== state()) drawBook();
  drawHead();
  drawElsewhere();
  drawLast();
  byId("frozen").hidden = frozenAt === null;
  if (frozenAt !== null) write(byId("frozen"), `FROZEN ${duration(performance.now() - frozenAt)}`);
}

/* Choices of the ladder. */
function press(groupNode, chosen) {
  for (const button of groupNode.children) button.setAttribute("aria-pressed", String(button === chosen));
}

function setDepth(button) {
  if (!button) return;
  press(byId("depths"), button);
  depth = Number(button.dataset.depth);
  ladder.resize(depth === 0 ? 200 : depth);
  watch(depth);
  redraw(drawBook);
}

function setGroup(button) {
  if (!button) return;
  press(byId("groups"), button);
  ladder.multiple = Number(button.dataset.multiple);
  redraw(drawBook);
}

function setQuote(inQuote) {
  ladder.inQuote = inQuote;
  press(byId("units"), byId("units").children[inQuote ? 1 : 0]);
  write(byId("size-unit"), inQuote ? page.dataset.quote : base);
  redraw(drawBook);
}

function stepGroup(by) {
  const buttons = [...byId("groups").children];
  const at = buttons.findIndex((one) => one.getAttribute("aria-pressed") === "true");
  setGroup(buttons[at + by]);
}

function setSpan(button) {
  if (!button) return;
  press(byId("spans"), button);
  line.seconds = Number(button.dataset.seconds);
  redraw(drawLine);
}

const clicks = { depths: setDepth, groups: setGroup, spans: setSpan, units: (button) => button && setQuote(button.dataset.unit === "quote") };
for (const [id, action] of Object.entries(clicks)) {
  byId(id).addEventListener("click", (event) => action(event.target.closest("button")));
}
byId("elsewhere").addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-url]");
  if (row) location.assign(row.dataset.url);
});
for (const [name, levels] of [["2", "20"], ["5", "50"], ["0", "0"]]) {
  onKey(name, () => setDepth(byId("depths").querySelector(`[data-depth="${levels}"]`)));
}
onKey("[", () => stepGroup(-1));
onKey("]", () => stepGroup(1));
onKey("q", () => setQuote(!ladder.inQuote));
onKey("r", () => head.resync());
onKey(" ", () => {
  frozenAt = frozenAt === null ? performance.now() : null;
  redraw(drawAges);
  redraw(drawBook);
});
