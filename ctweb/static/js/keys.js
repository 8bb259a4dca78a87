// Keys: pages add theirs to those of the frame. Letters are off while typing in a field.

import { isPaused, pause } from "./store.js";

const actions = new Map();
const PAGES = { f: "/fleet/", p: "/pairs/", b: "/book/", t: "/trading/orders/", r: "/trading/risk/", a: "/admin/" };
let went = false;

/** Do `action(event)` on `key` (as in KeyboardEvent.key) while no field and no dialog has the focus. */
export function onKey(key, action) {
  actions.set(key, action);
}

export function startKeys() {
  document.addEventListener("keydown", press);
  onKey("?", () => document.getElementById("keys").showModal());
  onKey(".", () => pause(!isPaused()));
  onKey("g", () => {
    went = true;
    setTimeout(() => { went = false; }, 1500);
  });
}

/** Whether a key belongs to a field or an open dialog; a dialog that was just closed may keep the focus for a moment. */
function taken(target) {
  const dialog = target.closest("dialog");
  return dialog === null ? target.closest("input, select, textarea") !== null : dialog.open;
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || taken(event.target)) return;
  if (went) {
    went = false;
    const page = PAGES[event.key];
    if (page !== undefined && document.querySelector(`.rail a[href="${page}"]`)) location.assign(page);
    return;
  }
  const action = actions.get(event.key);
  if (action === undefined) return;
  event.preventDefault();
  action(event);
}
