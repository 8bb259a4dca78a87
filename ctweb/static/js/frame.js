// What every page does: opens the link, keeps the top bar, the foot and the browser's title current, starts keys.

import { clock, duration, fixed } from "./fmt.js";
import { startGoto } from "./goto.js";
import { startHalt, titled } from "./halt.js";
import { startKeys } from "./keys.js";
import { link, serverNow } from "./link.js";
import { mark, redraw, ticking, write } from "./store.js";

const byId = (id) => document.getElementById(id);
const SHAPES = { DOWN: "✕", STALE: "▲" };
const STORE_NAMES = { database: "Database", redis: "Redis", clickhouse: "ClickHouse" };
let latest = null;

/** Start the page; `onDaemons(message)` gets what the frame itself gets once a second. */
export function startFrame(onDaemons = () => {}) {
  startKeys();
  const openGoto = startGoto();
  startHalt();
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.addEventListener("click", () => chooseTheme(button.dataset.themeChoice));
  }
  link.subscribe({ topic: "daemons" }, (message) => {
    latest = message;
    redraw(drawCounts);
    onDaemons(message);
  });
  ticking(drawLink);
  link.addEventListener("state", () => redraw(drawLink));
  link.open();
  return { openGoto };
}

function drawCounts() {
  for (const node of byId("counts").children) {
    const count = latest.states[node.dataset.st];
    write(node.querySelector("b"), fixed(count, 0));
    mark(node, "n", node.dataset.st === "LIVE" ? "1" : String(count));
  }
  write(byId("p99"), latest.publish_p99 === null ? "–" : `${fixed(latest.publish_p99, 1)} ms`);
  for (const node of byId("stores").children) {
    const ms = latest.stores[node.dataset.store];
    if (ms === undefined) continue; // not asked yet
    write(node, `${STORE_NAMES[node.dataset.store]} ${ms === null ? "does not answer" : `${ms} ms`}`);
    node.toggleAttribute("data-bad", ms === null);
  }
  const worst = ["STALE", "DOWN"].filter((state) => latest.states[state]);
  const counts = worst.map((state) => `${SHAPES[state]}${latest.states[state]}`).join(" ");
  document.title = titled(`${counts} ${document.body.dataset.title}`.trim());
}

function drawLink() {
  const node = byId("link");
  const words = { opening: "link …", live: "● link", late: "▲ link late", lost: "✕ link lost" }[link.state];
  const trip = link.state === "live" && link.roundTrip !== null ? ` ${Math.round(link.roundTrip)} ms` : "";
  mark(node, "state", link.state);
  write(node, words + trip);
  write(byId("clock"), clock(serverNow(), 1));
  const lost = byId("lost");
  lost.hidden = link.state !== "lost";
  if (!lost.hidden) {
    const since = link.lastFrameWall === null ? "none has come yet" : `values are from ${clock(link.lastFrameWall, 0)}`;
    write(lost, `Link lost ${duration(link.silence())}, ${since}`);
  }
}

function chooseTheme(theme) {
  const year = 365 * 24 * 3600;
  document.cookie = `theme=${theme}; path=/; max-age=${theme ? year : 0}; samesite=lax`;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.dispatchEvent(new Event("theme"));
}
