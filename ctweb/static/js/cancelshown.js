// Cancel all that the list of orders shows: counted and named first, and then exactly those.

import { changed, refuse } from "./forms.js";
import { post, toast } from "./server.js";
import { write } from "./store.js";

const byId = (id) => document.getElementById(id);
let asked = []; // numbers of the orders that the sheet was opened for
let key = null;

export function startCancelShown() {
  const button = byId("cancel-shown");
  if (button === null) return;
  const look = () => { button.disabled = shown().length === 0; };
  new MutationObserver(look).observe(byId("orders"), { childList: true, subtree: true, attributes: true, attributeFilter: ["data-cancel"] });
  look();
  button.addEventListener("click", open);
  byId("cancel-now").addEventListener("click", cancel);
}

const shown = () => [...document.querySelectorAll("#orders tr[data-cancel]")];

function open() {
  const rows = shown();
  asked = rows.map((row) => Number(row.dataset.cancel));
  key = crypto.randomUUID();
  const pairs = Map.groupBy(rows, (row) => row.dataset.pair);
  byId("cancel-list").replaceChildren(...[...pairs].map(([pair, of]) => (
    Object.assign(document.createElement("li"), { textContent: `${of.length} × ${pair}` }))));
  write(byId("cancel-count"), `${asked.length} order${asked.length === 1 ? "" : "s"}`);
  write(byId("cancel-now"), `Cancel ${asked.length}`);
  refuse(byId("cancel-failed"), null);
  byId("cancel-sheet").showModal();
  byId("cancel-now").focus();
}

async function cancel() {
  byId("cancel-now").disabled = true;
  try {
    const answer = await post("/api/v1/orders/cancel", { orders: asked }, { key });
    byId("cancel-sheet").close();
    toast(`${answer.asked} cancels asked for${answer.over ? `, ${answer.over} were over already` : ""}`);
  } catch (error) {
    refuse(byId("cancel-failed"), error); // the key stays: pressed again it is the same wish
  } finally {
    byId("cancel-now").disabled = false;
  }
  changed();
}
