// The list of daemons: one block each, with its load, and its messages of the last two minutes as a line.

import { duration, fixed, MISSING } from "./fmt.js";
import { serverNow } from "./link.js";
import { mark, write } from "./store.js";

const LINE_POINTS = 120; // one a second

export class DaemonList {
  #root;
  #latest = [];
  #rates = new Map(); // id -> last msg/s

  constructor(root) {
    this.#root = root;
  }

  take(daemons) {
    this.#latest = daemons;
    for (const one of daemons) {
      const rates = this.#rates.get(one.id) ?? [];
      rates.push(one.state === "LOST" ? 0 : one.msg_s);
      this.#rates.set(one.id, rates.slice(-LINE_POINTS));
    }
  }

  draw() {
    const known = new Set(this.#latest.map((one) => one.id));
    for (const node of this.#root.querySelectorAll("[data-daemon]")) if (!known.has(node.dataset.daemon)) node.remove();
    for (const one of this.#latest) this.#drawOne(this.#block(one.id), one);
    document.getElementById("no-daemon").hidden = this.#latest.length > 0;
    write(document.getElementById("daemon-count"), this.#latest.length ? String(this.#latest.length) : "");
  }

  #block(id) {
    const found = this.#root.querySelector(`[data-daemon="${CSS.escape(id)}"]`);
    if (found) return found;
    const node = document.getElementById("daemon-block").content.firstElementChild.cloneNode(true);
    node.dataset.daemon = id;
    this.#root.append(node);
    return node;
  }

  #drawOne(node, one) {
    const set = (name, text) => write(node.querySelector(`.${name}`), text);
    set("id", one.id);
    set("role", one.role);
    set("held", `${one.pairs} pairs`);
    set("sockets", `${one.sockets}/${one.max_sockets} sockets`);
    set("fence", `fence ${one.fence}`);
    const state = node.querySelector(".st");
    mark(state, "st", one.state);
    write(state, one.state === "LOST" ? `LOST ${duration(serverNow() - one.seen_ms)}` : one.state);
    set("cpu", one.cpu_pct === null ? MISSING : `${fixed(one.cpu_pct, 0)}%`);
    set("rss", one.rss_mb === null ? MISSING : `${fixed(one.rss_mb / 1024, 2)}G`);
    set("lag", one.loop_lag_ms === null ? MISSING : `${fixed(one.loop_lag_ms, 0)} ms`);
    meter(node.querySelector(".cpu-bar"), one.cpu_pct / 100, one.cpu_pct > 80);
    meter(node.querySelector(".rss-bar"), one.rss_mb / 2048, one.rss_mb > 1536);
    node.querySelector(".lag").classList.toggle("warn", one.loop_lag_ms > 100);
    node.querySelector("polyline").setAttribute("points", points(this.#rates.get(one.id)));
  }
}

function meter(bar, share, warn) {
  bar.firstElementChild.style.transform = `scaleX(${Math.max(0.02, Math.min(1, share))})`;
  bar.classList.toggle("over", warn);
}

function points(rates) {
  const top = Math.max(1, ...rates);
  return rates.map((rate, index) => `${70 * (index / (LINE_POINTS - 1))},${15 - 14 * (rate / top)}`).join(" ");
}
