// The head of the Book page: state, age of limit, sequence, lag, rates, gaps, owner; and Resync.

import { fleetRow } from "./fleetrow.js";
import { duration, fixed, group, MISSING } from "./fmt.js";
import { post, toast } from "./server.js";
import { mark, write } from "./store.js";

const byId = (id) => document.getElementById(id);
const SAY_EVERY_MS = 5000;

export class BookHead {
  #key;
  #book;
  #row = null;
  #saidAt = -Infinity;
  #said = null;

  constructor(key, book) {
    this.#key = key;
    this.#book = book;
    byId("resync")?.addEventListener("click", () => this.resync());
  }

  /** This book's row of the fleet; undefined: the pair is not enabled. */
  takeRow(values) {
    this.#row = values === undefined ? null : fleetRow(values);
    byId("off").hidden = this.#row !== null;
  }

  draw(state, crossed, lost) {
    const { age, limit, seq, lag, fence } = this.#book;
    const shown = crossed ? "SYNCING" : state === "LOST" ? this.#book.s : state;
    const node = byId("state");
    mark(node, "st", lost ? "DOWN" : shown);
    write(node, lost ? "NO LINK" : shown);
    const ms = age.get();
    write(byId("age"), ms === null ? MISSING : duration(ms));
    byId("age").classList.toggle("warn", ms > limit / 2);
    byId("age").classList.toggle("bad", ms > limit);
    write(byId("limit"), `of ${fixed(limit, 0)} ms`);
    write(byId("seq"), group(seq));
    write(byId("exchange-lag"), lag === null ? MISSING : fixed(lag, 0));
    this.#drawRow(fence);
    this.#drawWhy(shown, crossed, ms);
    this.#say(shown);
  }

  #drawRow(fence) {
    const row = this.#row;
    write(byId("rate"), row === null ? MISSING : fixed(row.msg_s, 0));
    write(byId("gap-count"), row === null ? MISSING : fixed(row.gaps_1h, 0));
    write(byId("resyncs"), row === null ? MISSING : fixed(row.resyncs, 0));
    write(byId("owner"), row?.daemon ?? MISSING);
    write(byId("fence"), row === null ? "" : `fence ${Math.max(fence, row.fence)}`);
  }

  /** In place of the ladder: why there is none. */
  #drawWhy(state, crossed, ms) {
    const node = byId("why");
    const words = {
      SYNCING: `Waiting for snapshot${this.#reason(crossed)}`,
      DOWN: `Down${this.#reason(crossed)}`,
      STALE: `STALE: no update for ${duration(ms)}, limit ${duration(this.#book.limit)}`,
    }[state];
    node.hidden = words === undefined;
    if (words !== undefined) write(node, words);
    mark(node, "st", state);
  }

  #reason(crossed) {
    const why = crossed ? "crossed, resyncing" : this.#book.why ?? this.#row?.reason;
    return why ? `: ${why}` : "";
  }

  /** Tell a screen reader about a new state, at most one sentence in 5 s. */
  #say(state) {
    if (state === this.#said || performance.now() - this.#saidAt < SAY_EVERY_MS) return;
    if (this.#said !== null) write(byId("said"), `${this.#key} is ${state}`);
    this.#said = state;
    this.#saidAt = performance.now();
  }

  async resync() {
    if (document.body.dataset.operator !== "1") return;
    try {
      await post("/actions/resync", { key: this.#key });
      toast("Resync asked");
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
  }
}
