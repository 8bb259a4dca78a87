// HALT on every page: one key, one confirmation. And what stands still, asked of the database every few seconds: it
// needs neither the socket nor Redis.

import { duration } from "./fmt.js";
import { openSheet, startSheet } from "./haltsheet.js";
import { onKey } from "./keys.js";
import { serverNow } from "./link.js";
import { ticking, write } from "./store.js";

const ASK_EVERY_MS = 3000;
const byId = (id) => document.getElementById(id);
let now = null; // {state, since_ms, by, reason, scopes, live, alerts}

export function startHalt() {
  const button = byId("halt");
  now = { state: button?.dataset.state ?? "ACTIVE", since_ms: 1000 * Number(button?.dataset.since || 0) };
  if (button !== null) startButton(button);
  ticking(draw);
  ask();
  setInterval(ask, ASK_EVERY_MS);
  document.body.addEventListener("trading-changed", ask);
}

/** The browser's title, which begins with the worst. */
export const titled = (title) => (now?.state === "HALTED" ? `■ HALTED ${title}` : title);

function startButton(button) {
  const open = (event) => { event.preventDefault(); openSheet(); };
  button.addEventListener("click", open);
  onKey("H", open);
  startSheet(async () => {
    await ask();
    if (location.pathname !== "/trading/risk/") location.assign("/trading/risk/");
    else document.body.dispatchEvent(new Event("trading-changed"));
  });
}

async function ask() {
  try {
    const answer = await fetch("/trading/state.json");
    if (answer.ok) now = await answer.json();
  } catch {
    return; // the link says that the server is away; what was known stays
  }
  draw();
}

function draw() {
  const halted = now.state === "HALTED";
  const button = byId("halt");
  if (button !== null && button.dataset.state !== now.state) button.dataset.state = now.state;
  if (button !== null && halted) write(button, `■ HALTED ${duration(Math.max(0, serverNow() - now.since_ms))}`);
  else if (button !== null && button.textContent.includes("HALTED")) button.replaceChildren("■ HALT ", kbd("⇧H"));
  const line = byId("halted");
  line.hidden = now.state === "ACTIVE";
  if (now.by === undefined) return; // not asked yet: the page says it
  write(byId("halted-state"), now.state);
  write(byId("halted-why"), `by ${now.by}${now.reason ? `: ${now.reason}` : ""}`);
  drawMode();
  const alerts = byId("alert-count");
  alerts.hidden = now.alerts === 0;
  write(alerts, String(now.alerts));
}

function drawMode() {
  const pill = byId("mode");
  if (pill.dataset.live === String(now.live)) return;
  pill.dataset.live = String(now.live);
  write(pill, now.live ? `LIVE ${now.live} account${now.live === 1 ? "" : "s"}` : "PAPER · no order leaves this host");
}

function kbd(text) {
  return Object.assign(document.createElement("kbd"), { textContent: text });
}
