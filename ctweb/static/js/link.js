// The one socket of the page: says what the page wants, hands out frames, acknowledges each after drawing, comes back.

import { afterDraw, now } from "./store.js";

const LATE_MS = 1500;
const LOST_MS = 3000;
const STABLE_MS = 10000;
const PING_MS = 5000;
const SIGNED_OUT = 4401;
const RESTART = 1012;

class Link extends EventTarget {
  #socket = null;
  #wanted = new Map(); // id -> {fields, onData, onAnswer}
  #nextId = 1;
  #attempts = 0;
  #openedAt = 0;
  #frameAt = null;
  #expected = 1;
  #retry = null;
  #pingAt = 0;
  state = "opening"; // opening live late lost
  roundTrip = null; // ms
  serverOffset = null; // server's wall clock minus performance.now(), ms
  lastFrameWall = null; // server's wall clock of the last frame, ms
  counters = { jumps: 0, conflated: 0, reconnects: 0 };

  open() {
    this.#connect();
    setInterval(() => this.#watch(), 250);
    addEventListener("online", () => this.#connectNow());
    document.addEventListener("visibilitychange", () => {
      this.#send(document.hidden ? { op: "pause" } : { op: "resume" });
      if (!document.hidden) this.#connectNow();
    });
  }

  /** Want a topic until `close` of the answer is called; it is subscribed again after each reconnect. */
  subscribe(fields, onData, onAnswer = () => {}) {
    const id = this.#nextId++;
    this.#wanted.set(id, { fields, onData, onAnswer });
    this.#send({ op: "sub", id, ...fields });
    return { close: () => this.#unsubscribe(id) };
  }

  #unsubscribe(id) {
    this.#wanted.delete(id);
    this.#send({ op: "unsub", id });
  }

  #connectNow() {
    if (this.#socket !== null) return;
    clearTimeout(this.#retry);
    this.#connect();
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/live/`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#expected = 1;
      this.#pingAt = now();
      socket.send(JSON.stringify({ op: "hello", v: 1 }));
    };
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    socket.onclose = (event) => this.#closed(socket, event.code);
  }

  #take(message) {
    if (message.op === "f") this.#frame(message);
    else if (message.op === "welcome") this.#welcome(message);
    else if (message.op === "pong") this.roundTrip = now() - this.#pingAt;
    else if (message.op === "sub") this.#wanted.get(message.id)?.onAnswer(message);
  }

  #welcome(message) {
    this.roundTrip = now() - this.#pingAt;
    this.#openedAt = now();
    this.serverOffset = message.now - now();
    for (const [id, one] of this.#wanted) this.#send({ op: "sub", id, ...one.fields });
    if (document.hidden) this.#send({ op: "pause" });
  }

  #frame(message) {
    if (message.n !== this.#expected) {
      this.counters.jumps += 1;
      this.#socket.close();
      return;
    }
    this.#expected += 1;
    this.#frameAt = now();
    this.serverOffset = message.now - this.#frameAt;
    this.lastFrameWall = message.now;
    if (message.conflated !== undefined) this.counters.conflated = message.conflated;
    this.#become("live");
    for (const one of message.m) this.#wanted.get(one.id)?.onData(one);
    const socket = this.#socket;
    afterDraw(() => {
      if (socket === this.#socket) this.#send({ op: "ack", n: message.n });
    });
  }

  #closed(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    if (code === SIGNED_OUT) {
      location.assign(`/login/?next=${encodeURIComponent(location.pathname + location.search)}`);
      return;
    }
    if (this.#openedAt && now() - this.#openedAt > STABLE_MS) this.#attempts = 0;
    this.counters.reconnects += 1;
    const most = code === RESTART ? 2000 : Math.min(15000, 250 * 2 ** this.#attempts++);
    this.#retry = setTimeout(() => this.#connect(), Math.random() * most);
  }

  #watch() {
    const silent = this.silence();
    if (silent > LOST_MS) this.#become("lost");
    else if (silent > LATE_MS && this.#frameAt !== null) this.#become("late");
    if (this.#openedAt && now() - this.#pingAt > PING_MS) {
      this.#pingAt = now();
      this.#send({ op: "ping" });
    }
    if (this.state === "lost") this.dispatchEvent(new Event("silence"));
  }

  /** How long no frame has come, ms; before the first since the page was opened. */
  silence() {
    return now() - (this.#frameAt ?? 0);
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    document.body.dataset.link = state;
    this.dispatchEvent(new Event("state"));
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

export const link = new Link();

/** The server's wall clock now, ms; before the first frame our own. */
export const serverNow = () => (link.serverOffset === null ? Date.now() : now() + link.serverOffset);
