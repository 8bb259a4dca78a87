// What needs a person, worst first: state, name, where, why, since when, and what can be done.

import { write } from "./store.js";

const operator = () => document.body.dataset.operator === "1";
const LABELS = { resync: "Resync", disable: "Disable" };

/** Rebuild the list only when it says something else than before, so that a button is not lost under the pointer. */
export function drawAttention(list, count, items, total) {
  write(count, String(total));
  count.hidden = total === 0;
  const text = JSON.stringify(items);
  if (list.dataset.text === text) return;
  list.dataset.text = text;
  list.replaceChildren(...(items.length ? items.map(line) : [calm()]));
}

function line(item) {
  const node = document.createElement("li");
  const state = part("span", "st", "");
  state.dataset.st = item.state;
  state.append(part("span", "hidden", item.state));
  const what = part("span", "what", "");
  what.append(part("b", "", item.name), ` ${item.where}`);
  const since = part("span", "since dim", "");
  since.dataset.since = item.since_ms ?? "";
  node.append(state, what, since, part("span", "why dim", item.why));
  if (item.action && operator()) {
    const button = part("button", "button small", LABELS[item.action]);
    button.dataset.action = item.action;
    button.dataset.key = item.key;
    button.dataset.fresh = "";
    node.append(button);
  }
  return node;
}

function calm() {
  return part("li", "empty", "Nothing needs attention.");
}

function part(tag, className, text) {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}
