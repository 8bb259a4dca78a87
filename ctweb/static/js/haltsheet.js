// The sheet behind HALT: what, how, and one button. Closing what is held asks a second time: reason, password, a word.

import { post } from "./server.js";
import { write } from "./store.js";

const WORD = "FLATTEN";
const LEAST_REASON = 10; // characters, where what is held is closed
const ASKED = ["password", "code", "word"]; // of whoever closes what is held; the code where there is a second factor
const byId = (id) => document.getElementById(id);
let key = null;
let done = () => {};

/** `onDone` is called when something was stopped. */
export function startSheet(onDone) {
  done = onDone;
  const form = byId("halt-form");
  byId("halt-close").addEventListener("click", () => byId("halt-sheet").close());
  byId("halt-sheet").addEventListener("close", () => { for (const name of ASKED) if (form.elements[name]) form.elements[name].value = ""; });
  form.addEventListener("submit", (event) => { event.preventDefault(); halt(form); });
  form.addEventListener("input", ({ target }) => {
    if (target.name === "mode" || target.name === "scope") draw(form);
    else drawButton(form);
  });
}

/** Open it with a scope chosen, as in its list: "global:", "account:7". */
export function openSheet(scope = "global:", name = null, mode = "cancel") {
  const form = byId("halt-form");
  const choice = form.elements.scope;
  if (![...choice.options].some((one) => one.value === scope)) choice.append(new Option(name ?? scope, scope));
  choice.value = scope;
  form.elements.mode.value = mode;
  form.elements.reason.value = "";
  key = crypto.randomUUID();
  fail(null);
  draw(form);
  byId("halt-sheet").showModal();
  (mode === "flatten" ? form.elements.reason : byId("halt-now")).focus();
}

const flattens = (form) => form.elements.mode.value === "flatten";

function draw(form) {
  const chosen = form.elements.mode.selectedOptions[0].dataset;
  write(byId("halt-does"), chosen.does);
  write(byId("halt-now").querySelector("span"), chosen.button);
  byId("halt-flatten").hidden = !flattens(form);
  for (const name of ASKED) if (form.elements[name]) form.elements[name].disabled = !flattens(form);
  form.elements.reason.placeholder = flattens(form) ? `${LEAST_REASON} characters or more` : "not needed";
  drawButton(form);
  if (flattens(form)) showLeft(form.elements.scope.value);
}

/** Halting is never held up; closing what is held is, until everything was said. */
function drawButton(form) {
  const { reason, password, code, word } = form.elements;
  const proven = password.value !== "" && code?.value !== "";
  const said = reason.value.trim().length >= LEAST_REASON && proven && word.value.trim() === WORD;
  byId("halt-now").disabled = flattens(form) && !said;
}

async function showLeft(scope) {
  const list = byId("halt-left");
  try {
    const answer = await fetch(`/trading/risk/left/?scope=${encodeURIComponent(scope)}`);
    if (byId("halt-form").elements.scope.value !== scope) return; // another was chosen meanwhile
    if (answer.ok) list.innerHTML = await answer.text();
    else list.textContent = "What is held there cannot be told now.";
  } catch {
    list.textContent = "What is held there cannot be told now.";
  }
}

async function halt(form) {
  const { mode, reason, password, code } = form.elements;
  const [scope, ...id] = form.elements.scope.value.split(":");
  const body = { scope, scope_id: id.join(":"), reason: reason.value };
  if (mode.value !== "reduce") body.mode = mode.value;
  if (flattens(form)) Object.assign(body, { password: password.value }, code && { code: code.value });
  byId("halt-now").disabled = true;
  try {
    await post(`/api/v1/risk/${mode.value === "reduce" ? "reduce" : "halt"}`, body, { key });
  } catch (error) {
    fail(error.message);
    return;
  } finally {
    drawButton(form);
  }
  byId("halt-sheet").close();
  await done();
}

/** The sheet stays and says what else there is; null: it was opened anew. */
function fail(why) {
  const line = byId("halt-failed");
  byId("halt-sheet").toggleAttribute("data-failed", why !== null);
  line.hidden = why === null;
  if (why !== null) write(line, `Not stopped: ${why}. Try again, open /halt/, or run: python manage.py halt`);
}
