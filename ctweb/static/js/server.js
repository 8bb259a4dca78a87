// Requests that change something: one POST each, with its idempotency key, so that a double click has one effect.

/** POST JSON; the answer's JSON, or an Error whose message is fit for people. */
export async function post(url, body, { key = crypto.randomUUID(), method = "POST" } = {}) {
  const answer = await fetch(url, {
    method,
    headers: {
      "Content-Type": "application/json",
      "X-CSRFToken": document.body.dataset.csrf,
      "Idempotency-Key": key,
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  const parsed = text && answer.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : null;
  if (!answer.ok) throw new Refused(reason(parsed) ?? `the server answered ${answer.status}`, parsed);
  return parsed;
}

/** What the server did not do; `fields` are its words as JSON, where it had any. */
export class Refused extends Error {
  constructor(message, fields) {
    super(message);
    this.fields = fields;
  }
}

/** One instrument as REST names it. */
export function named(key) {
  const [exchange, market_type, ...pair] = key.split(":");
  return { exchange, market_type, pair: pair.join(":") };
}

/** Watch these books, or stop it. */
export function switchPairs(keys, enabled, depth = null) {
  return post("/api/v1/pairs/bulk", { pairs: keys.map(named), enabled, depth });
}

function reason(parsed) {
  if (parsed === null) return null;
  if (typeof parsed.detail === "string") return parsed.detail;
  return Object.entries(parsed).map(([field, texts]) => `${field}: ${words(texts)}`).join("; ");
}

function words(found) {
  return typeof found === "string" ? found : Object.values(found).map(words).join(" ");
}

const UNDO_MS = 10000;
let shown = null;

/** A line at the bottom; with `undo` it offers that for 10 s (button, or the key u). */
export function toast(text, { kind = "", undo = null } = {}) {
  shown?.remove();
  const line = document.createElement("div");
  line.className = "toast";
  line.dataset.kind = kind;
  line.setAttribute("role", kind === "bad" ? "alert" : "status");
  line.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (undo !== null) {
    const button = Object.assign(document.createElement("button"), { className: "button small", textContent: "Undo" });
    button.addEventListener("click", () => { line.remove(); undo(); });
    line.append(button);
  }
  document.body.append(line);
  shown = line;
  setTimeout(() => line.remove(), UNDO_MS);
}

/** Press Undo of the line that is shown. */
export function undoLast() {
  if (shown?.isConnected) shown.querySelector("button")?.click();
}
