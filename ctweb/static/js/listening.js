// News of accounts from the socket: a hint that something changed. What it is, the lists ask of the database.

import { changed } from "./forms.js";
import { link } from "./link.js";

const SETTLE_MS = 150; // several changes of one order are one look

export function listen(accounts) {
  let timer = null;
  const hear = () => {
    if (timer !== null) return;
    timer = setTimeout(() => { timer = null; changed(); }, SETTLE_MS);
  };
  for (const id of accounts) link.subscribe({ topic: "account", key: id }, hear);
}

/** The accounts that the page says it is about. */
export const listened = () => document.getElementById("listens").dataset.accounts.trim().split(/\s+/).filter(Boolean);
