// The Pairs page: search, filter, select, switch on and off, and watch what becomes of it.

import { catalogue, forget, match } from "./catalogue.js";
import { Filters } from "./filters.js";
import { Fleet } from "./fleetrow.js";
import { duration, fixed } from "./fmt.js";
import { startFrame } from "./frame.js";
import { onKey } from "./keys.js";
import { link, serverNow } from "./link.js";
import { PairTable } from "./pairtable.js";
import { drawCost } from "./preview.js";
import { named, post, switchPairs, toast, undoLast } from "./server.js";
import { now, redraw, ticking, write } from "./store.js";

const PLAIN_DISABLE = 20; // more than these are previewed first
const ASK_KEPT_MS = 30000;
const FOLLOWED_MS = 5000; // so often the list is filtered anew by what the books have become
const byId = (id) => document.getElementById(id);
const operator = document.body.dataset.operator === "1";

const fleet = new Fleet();
const table = new PairTable(byId("rows"), byId("space"), operator);
const asks = new Map(); // key -> {enabled, at} asked for here and not yet in the fleet
const depths = new Map(); // key -> depth chosen for a pair that is off
const chosen = new Set();
const filters = new Filters(byId("filters"), stateOf, refilter);
let all = [];
let listed = new Map(); // key -> row of the catalogue
let words = [];
let readMs = null;
let active = 0;
let anchor = 0;
let fits = false;

startFrame();
onKey("/", () => byId("words").focus());
link.subscribe({ topic: "fleet" }, (message) => {
  const { gone } = fleet.apply(message, now());
  settle(gone);
  if (message.full) refilter();
  write(byId("enabled"), fixed(message.figures.enabled, 0));
  redraw(drawRows);
});
load();
ticking(drawRows);
setInterval(follow, FOLLOWED_MS);

async function load() {
  try {
    const found = await catalogue();
    all = found.rows;
    listed = new Map(all.map((row) => [row.key, row]));
    readMs = found.read_ms;
    table.takeOver();
    refilter();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

function stateOf(row) {
  const held = fleet.rows.get(row.key);
  if (held === undefined) return "off";
  return held.state === "LIVE" ? "live" : "bad";
}

/** What was asked for here stands until the fleet shows it, and its times a little longer. */
function settle(gone) {
  for (const key of gone) if (asks.get(key)?.enabled === false) asks.delete(key);
  for (const [key, ask] of asks) if (serverNow() - ask.at > ASK_KEPT_MS) asks.delete(key);
}

/** Rows come and go as their books change, but none moves from under the pointer, nor while some are chosen. */
function follow() {
  if (byId("rows").matches(":hover") || chosen.size > 0) filters.count(match(all, byId("words").value));
  else refilter();
}

function refilter() {
  const text = byId("words").value;
  const hits = match(all, text);
  words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const held = table.rows[active]?.key;
  table.rows = filters.apply(hits);
  filters.count(hits);
  const at = table.rows.findIndex((row) => row.key === held);
  active = at >= 0 ? at : Math.min(active, Math.max(0, table.rows.length - 1));
  const age = readMs === null ? "never read" : `read ${duration(serverNow() - readMs)} ago`;
  write(byId("found"), `${fixed(table.rows.length, 0)} of ${fixed(all.length, 0)} in the catalogue, ${age}`);
  byId("found").classList.toggle("warn", readMs !== null && serverNow() - readMs > 24 * 3600 * 1000);
  byId("nothing").hidden = table.rows.length > 0;
  write(byId("nothing"), all.length ? "Nothing matches." : "The catalogue is empty: it was never read from an exchange.");
  redraw(drawRows);
}

function drawRows() {
  const time = now();
  table.draw((row) => {
    const held = fleet.rows.get(row.key);
    return {
      held,
      ask: asks.get(row.key),
      words,
      chosen: chosen.has(row.key),
      active: table.rows[active] === row,
      age: held === undefined ? null : fleet.age(held, time),
      depth: held?.depth ?? depths.get(row.key) ?? row.depths[0],
    };
  });
  const bar = byId("bulk");
  if (bar === null) return;
  bar.hidden = chosen.size === 0;
  write(byId("chosen"), String(chosen.size));
  write(byId("shown"), fixed(table.rows.length, 0));
  byId("enable").disabled = !fits;
}

/* Switching. */
async function change(keys, enabled, { undoable = true, depth = null } = {}) {
  for (const key of keys) asks.set(key, { enabled, at: serverNow() });
  redraw(drawRows);
  try {
    await switchPairs(keys, enabled, depth);
  } catch (error) {
    for (const key of keys) asks.delete(key);
    redraw(drawRows);
    toast(error.message, { kind: "bad" });
    return;
  }
  document.body.dispatchEvent(new Event("pairs-changed"));
  const what = keys.length === 1 ? keys[0] : `${keys.length} pairs`;
  const undo = undoable ? () => change(keys, !enabled, { undoable: false, depth }) : null;
  toast(`${what} ${enabled ? "enabled" : "disabled"}`, { undo });
}

const keysThatAre = (on) => [...chosen].filter((key) => fleet.rows.has(key) === on);
/** One depth for all of `keys`: only what each of them may be asked for. */
function offerDepths(keys) {
  const select = byId("bulk-depth");
  if (select === null) return;
  for (const option of select.options) {
    const wanted = Number(option.value);
    option.hidden = option.disabled = option.value !== "" && !keys.every((key) => listed.get(key)?.depths.includes(wanted));
  }
  if (select.selectedOptions[0].disabled) select.value = "";
}

const bulkDepth = () => (byId("bulk-depth").value === "" ? null : Number(byId("bulk-depth").value));

function enableChosen() {
  const keys = keysThatAre(false);
  if (keys.length && fits) change(keys, true, { depth: bulkDepth() });
}

async function disableChosen() {
  const keys = keysThatAre(true);
  if (!keys.length) return;
  if (keys.length <= PLAIN_DISABLE) {
    change(keys, false);
    return;
  }
  write(byId("confirm-title"), `Disable ${keys.length} pairs`);
  await drawCost(byId("confirm-body"), keys, false, null);
  byId("confirm-go").onclick = () => { byId("confirm").close(); change(keys, false); };
  byId("confirm").showModal();
}

/** A new depth: of a pair that is on at once, of one that is off when it is switched on. */
async function setDepth(key, depth) {
  if (!fleet.rows.has(key)) {
    depths.set(key, depth);
    return;
  }
  try {
    const answer = await fetch(`/api/v1/pairs?${new URLSearchParams({ ...named(key), enabled: "true" })}`);
    const { results } = await answer.json();
    for (const row of results) await post(`/api/v1/pairs/${row.id}`, { depth }, { method: "PATCH" });
    document.body.dispatchEvent(new Event("pairs-changed"));
    toast(`${key}: depth ${depth || "full"}`);
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

/* Choosing. */
function choose(index, { range = false } = {}) {
  const row = table.rows[index];
  if (row === undefined) return;
  const on = !chosen.has(row.key);
  const [from, to] = range ? [Math.min(anchor, index), Math.max(anchor, index)] : [index, index];
  for (const one of table.rows.slice(from, to + 1)) {
    if (!on) chosen.delete(one.key);
    else if (one.status === "trading" || fleet.rows.has(one.key)) chosen.add(one.key);
  }
  anchor = index;
  priceSelection();
}

let pricing = null;
function priceSelection() {
  offerDepths(keysThatAre(false));
  redraw(drawRows);
  clearTimeout(pricing);
  pricing = setTimeout(async () => {
    const keys = keysThatAre(false);
    byId("no-preview").hidden = keys.length > 0;
    byId("preview").hidden = keys.length === 0;
    fits = keys.length > 0 && (await drawCost(byId("preview"), keys, true, bulkDepth()));
    redraw(drawRows);
  }, 150);
}

function move(step) {
  active = Math.max(0, Math.min(table.rows.length - 1, active + step));
  table.reveal(active);
  redraw(drawRows);
}

byId("words").addEventListener("input", refilter);
byId("words").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.preventDefault(); // the browser would empty the field and leave the list as it was
  event.target.blur();
});
byId("clear").addEventListener("click", () => { filters.clear(); byId("words").value = ""; refilter(); });
byId("rows").addEventListener("scroll", () => redraw(drawRows));
byId("rows").addEventListener("click", (event) => {
  const line = event.target.closest(".row[data-key]");
  if (line === null) return;
  const index = table.rows.findIndex((row) => row.key === line.dataset.key);
  active = index;
  if (event.target.matches(".pick")) choose(index, { range: event.shiftKey });
  else if (event.target.matches(".switch")) {
    const on = event.target.getAttribute("aria-checked") === "true";
    change([line.dataset.key], !on, { depth: on ? null : depths.get(line.dataset.key) ?? null });
  }
  redraw(drawRows);
});
byId("rows").addEventListener("change", (event) => {
  if (event.target.matches("select.depth")) setDepth(event.target.closest(".row").dataset.key, Number(event.target.value));
});
byId("all").addEventListener("change", (event) => {
  chosen.clear();
  if (event.target.checked) for (const row of table.rows) if (row.status === "trading") chosen.add(row.key);
  priceSelection();
});
byId("enable")?.addEventListener("click", enableChosen);
byId("disable")?.addEventListener("click", disableChosen);
byId("bulk-depth")?.addEventListener("change", priceSelection);
byId("refresh")?.addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    await post("/actions/refresh", {});
    toast("The catalogues are being read");
    setTimeout(() => { forget(); load(); }, 4000);
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
  event.target.disabled = false;
});
document.addEventListener("htmx:after:swap", () => { byId("refused").hidden = !byId("refused").childElementCount; });
for (const [key, step] of [["j", 1], ["ArrowDown", 1], ["k", -1], ["ArrowUp", -1]]) onKey(key, () => move(step));
onKey("x", () => choose(active));
onKey("X", () => choose(active, { range: true }));
onKey("e", enableChosen);
onKey("d", disableChosen);
onKey("u", undoLast);
onKey("Enter", () => table.rows[active] && location.assign(table.rows[active].url));
