// The Fleet page: matrix, figures, daemons, what needs attention.

import { drawAttention } from "./attention.js";
import { DaemonList } from "./daemons.js";
import { Fleet } from "./fleetrow.js";
import { clock, duration, fixed, MISSING, signed } from "./fmt.js";
import { startFrame } from "./frame.js";
import { onKey } from "./keys.js";
import { link } from "./link.js";
import { post, switchPairs, toast, undoLast } from "./server.js";
import { now, redraw, ticking, write } from "./store.js";
import { cardLines, Tiles } from "./tiles.js";

const byId = (id) => document.getElementById(id);
const matrix = byId("matrix");
const fleet = new Fleet();
const tiles = new Tiles(matrix, fleet);
const daemons = new DaemonList(byId("daemons"));
const pending = { changed: new Map(), gone: new Set() };
let latest = null;
let carded = null;

startFrame((message) => { daemons.take(message.daemons); redraw(drawDaemons); });
link.subscribe({ topic: "fleet" }, (message) => {
  const { changed, gone } = fleet.apply(message, now());
  for (const row of changed) { pending.changed.set(row.key, row); pending.gone.delete(row.key); }
  for (const key of gone) { pending.gone.add(key); pending.changed.delete(key); }
  latest = message;
  redraw(draw);
});

function drawDaemons() {
  daemons.draw();
}

function draw() {
  drawMarkets(latest.markets);
  tiles.draw(pending.changed.values(), pending.gone);
  pending.changed.clear();
  pending.gone.clear();
  drawFigures(latest.figures);
  drawAttention(byId("attention"), byId("attention-count"), latest.attention, latest.attention_count);
  byId("nothing").hidden = latest.figures.enabled > 0;
  drawCard();
}

function drawFigures(figures) {
  const set = (id, text) => write(byId(id), text);
  set("f-live", fixed(figures.states.LIVE, 0));
  set("f-enabled", `of ${fixed(figures.enabled, 0)}`);
  set("f-msg", fixed(figures.msg_s, 0));
  set("f-p50", figures.publish_p50 === null ? MISSING : fixed(figures.publish_p50, 1));
  set("f-p99", figures.publish_p99 === null ? MISSING : `${fixed(figures.publish_p99, 1)} ms p99`);
  set("f-gaps", fixed(figures.gaps_1h, 0));
  set("f-repaired", figures.gaps_open ? `${figures.gaps_open} open` : "all repaired");
  set("f-back", figures.back_p95 === null ? MISSING : fixed(figures.back_p95, 1));
  set("f-rows", fixed(figures.rows_s, 0));
  set("enabled", fixed(figures.enabled, 0));
  set("i-flush", `${figures.flush_waiting} waiting`);
  set("i-lag", figures.history_lag_s === null ? MISSING : `${fixed(figures.history_lag_s, 1)} s`);
  set("i-spool", `${fixed(figures.spool_mb, 1)} MB`);
}

function drawMarkets(markets) {
  const known = new Set(markets.map((one) => `${one.exchange} ${one.market_type}`));
  for (const line of matrix.querySelectorAll(".market")) {
    if (!known.has(`${line.dataset.exchange} ${line.dataset.market}`)) line.remove();
  }
  for (const one of markets) drawMarket(marketLine(one), one);
}

function marketLine({ exchange, market_type }) {
  const found = matrix.querySelector(`.market[data-exchange="${exchange}"][data-market="${market_type}"]`);
  if (found) return found;
  const line = byId("market-line").content.firstElementChild.cloneNode(true);
  line.dataset.exchange = exchange;
  line.dataset.market = market_type;
  line.querySelector(".exchange").textContent = matrix.dataset[exchange] ?? exchange;
  line.querySelector(".type").textContent = market_type;
  const order = (node) => `${node.dataset.exchange} ${node.dataset.market === "spot" ? 0 : 1}`;
  const after = [...matrix.querySelectorAll(".market")].find((node) => order(node) > order(line));
  matrix.insertBefore(line, after ?? null);
  return line;
}

function drawMarket(line, one) {
  const cell = (name) => line.querySelector(`.${name}`);
  const bad = ["SYNCING", "STALE", "DOWN"].filter((state) => one.states[state]);
  const counts = bad.map((state) => {
    const node = document.createElement("span");
    node.className = "st";
    node.dataset.st = state;
    node.textContent = one.states[state];
    node.title = state;
    return node;
  });
  cell("pairs").replaceChildren(...(counts.length ? counts : [fixed(one.pairs, 0)]));
  write(cell("msg"), fixed(one.msg_s, 0));
  write(cell("age"), fixed(one.age_p99, 0));
  cell("age").classList.toggle("warn", one.age_p99 > 2500);
  write(cell("lag"), fixed(one.lag_p99, 0));
  write(cell("gaps"), one.gaps_1h ? fixed(one.gaps_1h, 0) : "·");
  cell("gaps").classList.toggle("warn", one.gaps_1h > 2);
  write(cell("sock"), fixed(one.sockets, 0));
  write(cell("clock"), signed(one.clock_ms, 0));
  cell("clock").classList.toggle("warn", Math.abs(one.clock_ms ?? 0) > 25);
}

/* The card of the tile under the pointer or the focus: beside it, over everything, moving nothing. */
const card = byId("card");

function showCard(tile) {
  carded = tile;
  card.hidden = tile === null;
  if (tile === null) return;
  drawCard();
  const box = tile.getBoundingClientRect();
  card.style.left = `${Math.min(box.left + 14, innerWidth - card.offsetWidth - 8)}px`;
  card.style.top = `${Math.min(box.bottom + 6, innerHeight - card.offsetHeight - 32)}px`;
}

function drawCard() {
  const row = carded === null ? undefined : fleet.rows.get(carded.dataset.key);
  if (row === undefined) {
    card.hidden = true;
    return;
  }
  write(card.querySelector("h3"), `${row.pair} ${row.exchange} ${row.market}`);
  const lines = cardLines(row, fleet.age(row, now())).flatMap(([label, value]) => [
    Object.assign(document.createElement("dt"), { textContent: label }),
    Object.assign(document.createElement("dd"), { textContent: value }),
  ]);
  card.querySelector("dl").replaceChildren(...lines);
}

matrix.addEventListener("pointerover", (event) => showCard(event.target.closest(".tile")));
matrix.addEventListener("pointerleave", () => showCard(null));
matrix.addEventListener("focusin", (event) => {
  const tile = event.target.closest(".tile");
  if (!tile) return;
  tiles.focused = tile;
  showCard(tile);
});
matrix.addEventListener("focusout", () => showCard(null));
ticking(() => {
  drawCard();
  if (tiles.colour === "age") tiles.colourBy("age");
  for (const node of byId("attention").querySelectorAll("[data-since]")) {
    write(node, node.dataset.since ? duration(link.serverOffset + now() - Number(node.dataset.since)) : "");
  }
});

function choose(group, button) {
  for (const one of group.children) one.setAttribute("aria-pressed", String(one === button));
}

const colours = byId("colours");
const orders = byId("orders");
function colourBy(button) {
  choose(colours, button);
  write(byId("legend"), tiles.colourBy(button.dataset.colour));
}
colours.addEventListener("click", (event) => event.target.closest("button") && colourBy(event.target.closest("button")));
orders.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  choose(orders, button);
  tiles.sort(button.dataset.order);
});
byId("filter").addEventListener("input", (event) => tiles.filter(event.target.value));

async function act(action, key) {
  try {
    if (action === "resync") await resync(key);
    else if (action === "enable") await switchPairs([key], true);
    else await disable(key);
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

async function resync(key) {
  await post("/actions/resync", { key });
  toast(`Resync of ${key} asked at ${clock(link.serverOffset + now(), 0)}`);
}

async function disable(key) {
  await switchPairs([key], false);
  toast(`${key} disabled`, { undo: () => act("enable", key) });
}

byId("attention").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (button) act(button.dataset.action, button.dataset.key);
});

for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) onKey(key, () => tiles.move(key));
onKey("u", undoLast);
onKey("n", () => tiles.nextNotLive());
onKey("r", () => document.body.dataset.operator === "1" && tiles.focused && act("resync", tiles.focused.dataset.key));
onKey("Enter", () => tiles.focused?.click());
["1", "2", "3", "4"].forEach((key, index) => onKey(key, () => colourBy(colours.children[index])));
