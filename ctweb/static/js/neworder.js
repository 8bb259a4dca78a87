// An order by hand: the live book beside it, a review that reserves nothing, and one button.

import { bodyOf, changed, refuse, startForms } from "./forms.js";
import { duration, group, MISSING } from "./fmt.js";
import { startFrame } from "./frame.js";
import { startFresh } from "./fresh.js";
import { onKey } from "./keys.js";
import { link } from "./link.js";
import { listen, listened } from "./listening.js";
import { post, toast } from "./server.js";
import { Age, mark, ticking, write } from "./store.js";

const LEVELS = 8;
const byId = (id) => document.getElementById(id);
const form = byId("order");
const age = new Age();
let state = "DOWN";
let reason = "";
let limit = 5000;
const words = form === null ? {} : JSON.parse(form.dataset.words);
let key = crypto.randomUUID(); // of the order that is reviewed: pressed twice it is one order

startFrame();
startFresh();
startForms();
listen(listened());
byId("choose").hidden = true; // without a script it is pressed
byId("where").addEventListener("change", ({ target }) => {
  if (target.name === "account") byId("where").elements.pair.disabled = true; // another market has other pairs
  byId("where").submit();
});
if (form !== null) startOrder();

function startOrder() {
  link.subscribe({ topic: "book", key: form.dataset.key, depth: LEVELS, hz: 5 }, take);
  ticking(drawState);
  form.addEventListener("input", () => { forget(); drawFields(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); review(); });
  byId("place").addEventListener("click", place);
  byId("levels").addEventListener("click", ({ target }) => {
    const row = target.closest("tr");
    if (row === null || form.elements.type.value !== "limit") return;
    form.elements.price.value = row.cells[0].textContent.replaceAll(",", "");
    forget();
  });
  onKey("b", () => choose("buy"));
  onKey("s", () => choose("sell"));
  drawFields();
}

function choose(side) {
  form.elements.side.value = side;
  forget();
}

/** An order at the market has neither price nor time in force. */
function drawFields() {
  const market = form.elements.type.value === "market";
  for (const name of ["price", "tif"]) form.elements[name].disabled = market;
  form.elements.price.required = !market;
}

function take(message) {
  state = message.s;
  age.set(message.age);
  if (message.limit !== undefined) limit = message.limit;
  if (message.b === undefined) return;
  reason = message.why ?? "";
  drawSide(".asks", message.a.slice(0, LEVELS).reverse(), "ask");
  drawSide(".bids", message.b.slice(0, LEVELS), "bid");
}

function drawSide(selector, levels, side) {
  const body = byId("levels").querySelector(selector);
  while (body.rows.length < levels.length) {
    const row = body.insertRow();
    row.insertCell().className = `n ${side}`;
    row.insertCell().className = "n";
  }
  while (body.rows.length > levels.length) body.deleteRow(-1);
  levels.forEach(([price, size], index) => {
    const row = body.rows[index];
    write(row.cells[0], group(price));
    write(row.cells[1], group(size));
  });
}

function drawState() {
  const ms = age.get();
  const shown = link.state === "lost" ? "DOWN" : state === "LIVE" && ms > limit ? "STALE" : state;
  mark(byId("state"), "st", shown);
  write(byId("state"), link.state === "lost" ? "NO LINK" : shown);
  write(byId("age"), ms === null ? MISSING : duration(ms));
  byId("why").hidden = shown === "LIVE" || link.state === "lost";
  write(byId("why"), `An order needs a LIVE book, this one is ${shown}${reason === "" ? "" : `: ${reason}`}`);
}

/** Why risk refuses, in words and with its own. */
function why({ deny_reason: reason, deny_text: text }) {
  return `${text || words.denials[reason] || ""} (${reason})`.trim();
}

function wanted() {
  const { account, pair } = form.dataset;
  return { ...bodyOf(form), account: Number(account), pair };
}

/** What was reviewed is no longer what is asked for. */
function forget() {
  byId("place").disabled = true;
  byId("review").hidden = true;
  refuse(byId("refused"), null);
  key = crypto.randomUUID();
}

async function review() {
  refuse(byId("refused"), null);
  const asked = key; // another one once the form says something else
  try {
    const found = await post("/api/v1/intents/preview", { ...wanted(), key });
    if (key === asked) drawReview(found);
  } catch (error) {
    if (key === asked) refuse(byId("refused"), error);
  }
}

function drawReview(found) {
  const { base, quote, mode } = form.dataset;
  const lines = [
    ["Account", mode.toUpperCase()],
    [found.side === "buy" ? "Buys" : "Sells", `${group(found.amount)} ${base}`],
    ["At worst at", found.price === null ? MISSING : `${group(found.price)} ${quote}`],
    ["Worth", found.value === null ? MISSING : `${group(found.value)} ${quote}`],
    ["Fees, at most", found.fee === null ? MISSING : `${group(found.fee)} ${quote}`],
    ["Held back", found.reserved_asset ? `${group(found.reserved_amount)} ${found.reserved_asset}` : "nothing"],
    ...found.limits.map(({ name, used, most }) => {
      const [label, unit] = words.limits[name] ?? [name, ""];
      return [label, `${group(used)} of ${group(most)} ${unit}`.trim()];
    }),
  ];
  byId("review").replaceChildren(...lines.flatMap(([label, value]) => [node("dt", label), node("dd", value)]));
  byId("review").hidden = false;
  const denied = found.deny_reason !== "";
  if (denied) refuse(byId("refused"), { message: `Risk would refuse it: ${why(found)}` });
  byId("place").disabled = denied;
  if (!denied) byId("place").focus();
}

async function place() {
  byId("place").disabled = true;
  const asked = key;
  try {
    const made = await post("/api/v1/intents", { ...wanted(), key }, { key });
    toast(made.result === "RISK_DENIED" ? `Risk refused it: ${why(made)}` : "The order is on its way", {
      kind: made.result === "RISK_DENIED" ? "bad" : "",
    });
    if (key === asked) forget();
  } catch (error) {
    refuse(byId("refused"), error); // the key stays: pressed again it is the same order
    if (key === asked) byId("place").disabled = false;
  }
  changed();
}

function node(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}
