// Go to pair: words in any order, matched against exchange, market and pair; Enter opens the book.

import { onKey } from "./keys.js";
import { catalogue, match } from "./catalogue.js";

const SHOWN = 12;

export function startGoto() {
  const dialog = document.getElementById("goto");
  const words = document.getElementById("goto-words");
  const found = document.getElementById("goto-found");
  let rows = [];
  let at = 0;

  function show(hits) {
    at = 0;
    found.replaceChildren(...hits.slice(0, SHOWN).map((row, index) => {
      const item = document.createElement("li");
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(index === 0));
      item.dataset.url = row.url;
      item.textContent = `${row.pair}  ${row.exchange} ${row.market}`;
      return item;
    }));
  }

  function move(step) {
    const items = found.children;
    if (!items.length) return;
    items[at].setAttribute("aria-selected", "false");
    at = (at + step + items.length) % items.length;
    items[at].setAttribute("aria-selected", "true");
  }

  async function open() {
    dialog.showModal();
    words.value = "";
    words.focus();
    rows = (await catalogue()).rows;
    show(match(rows, words.value));
  }

  words.addEventListener("input", () => show(match(rows, words.value)));
  words.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter" && found.children[at]) location.assign(found.children[at].dataset.url);
  });
  found.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item) location.assign(item.dataset.url);
  });
  onKey("/", open);
  return open;
}
