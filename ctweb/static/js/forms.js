// Forms and buttons that ask REST for something: what a page says of them stands in its data attributes.
//
// form data-form="/api/v1/..." [data-method] [data-goto="/x/{id}/" | data-reload] [data-secret]
// button data-post="/api/v1/..." [data-method] [data-with="field of its form"] [data-sure="question"]
//   [data-said="what was done"] [data-reload]

import { post, Refused, toast } from "./server.js";

const KINDS = {
  bool: (field) => field.checked,
  truth: (field) => field.value === "true",
  whole: (field) => (/^[0-9]+$/.test(field.value) ? Number(field.value) : field.value), // REST says what is wrong with it
};
const SECRET_MS = 60000; // what is secret does not stay on the screen
const keys = new WeakMap(); // one key per form until it succeeds: a double click has one effect

/** Tell the page's lists that something has changed. */
export const changed = () => document.body.dispatchEvent(new Event("trading-changed"));

export function startForms() {
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.form === undefined) return;
    event.preventDefault();
    send(event.target);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-post]");
    if (button !== null) press(button);
    event.target.closest("[data-close]")?.closest("dialog").close();
  });
  for (const form of document.querySelectorAll("form[data-secret]")) {
    form.addEventListener("input", () => { clearTimeout(form.timer); form.timer = setTimeout(() => form.reset(), SECRET_MS); });
    addEventListener("pagehide", () => form.reset());
  }
}

/** The fields of a form as REST takes them; what is empty is left out. */
export function bodyOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
    const read = KINDS[field.type === "checkbox" ? "bool" : field.dataset.kind];
    const value = read === undefined ? field.value : read(field);
    if (value !== "") body[field.name] = value;
  }
  return body;
}

/** Say what was refused, and where; null: nothing. */
export function refuse(line, error) {
  for (const field of line.closest("form")?.elements ?? []) {
    if (error?.fields?.[field.name] === undefined) field.removeAttribute("aria-invalid");
    else field.setAttribute("aria-invalid", "true");
  }
  line.hidden = error === null;
  line.textContent = error === null ? "" : error.message;
}

async function send(form) {
  const line = form.querySelector("[data-refused]");
  const button = form.querySelector("button.main, footer button:not([type=button])");
  if (!keys.has(form)) keys.set(form, crypto.randomUUID());
  refuse(line, null);
  button.disabled = true;
  try {
    const answer = await post(form.dataset.form, bodyOf(form), { key: keys.get(form), method: form.dataset.method ?? "POST" });
    keys.delete(form); // the next press is another wish
    done(form, answer);
  } catch (error) {
    if (error instanceof Refused) keys.delete(form); // without an answer it is the same wish still
    refuse(line, error);
    showFindings(form, error.fields?.findings);
  } finally {
    button.disabled = false;
  }
}

function done(form, answer) {
  if (form.dataset.secret !== undefined) form.reset();
  if (form.dataset.goto !== undefined) location.assign(form.dataset.goto.replace("{id}", answer?.id ?? ""));
  else if (form.dataset.reload !== undefined) location.reload();
  else changed();
}

/** What an exchange said of a key, line by line. */
function showFindings(form, findings) {
  const list = form.querySelector("[data-findings]");
  if (list === null) return;
  list.hidden = !Array.isArray(findings);
  list.replaceChildren(...(list.hidden ? [] : findings.map(({ check, outcome, text }) => {
    const item = document.createElement("li");
    item.className = { passed: "good", warning: "warn", failed: "bad" }[outcome];
    item.textContent = `${{ passed: "✓", warning: "▲", failed: "✕" }[outcome]} ${check} ${text}`;
    return item;
  })));
}

async function press(button) {
  if (button.dataset.sure !== undefined && !confirm(button.dataset.sure)) return;
  button.disabled = true;
  try {
    const field = button.form?.elements[button.dataset.with];
    await post(button.dataset.post, field?.value ? { [field.name]: field.value } : {}, { method: button.dataset.method ?? "POST" });
    if (button.dataset.said) toast(button.dataset.said);
    if (button.dataset.reload !== undefined) location.reload();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  } finally {
    button.disabled = false;
    changed();
  }
}
