// Lists that ask the server for themselves: while their answers fail they say how old they are, and what is shown is no
// longer drawn as if it were current.
//
// <div data-hx-get="..." data-fresh-for="20">: seconds after which it is STALE

import { duration } from "./fmt.js";
import { now, ticking } from "./store.js";

const answered = new WeakMap(); // list -> when, by our own clock, ms
let leaving = false;

export function startFresh() {
  for (const list of document.querySelectorAll("[data-fresh-for]")) answered.set(list, now());
  document.addEventListener("htmx:after:request", ({ detail }) => {
    const list = detail.ctx?.sourceElement?.closest("[data-fresh-for]");
    if (list && detail.ctx.response.status < 400) answered.set(list, now());
  });
  document.addEventListener("htmx:before:response", (event) => {
    if (!event.detail.ctx.response.raw.redirected) return;
    event.preventDefault(); // the login page is no list: nobody is signed in any more
    if (leaving) return;
    leaving = true;
    location.assign(`/login/?next=${encodeURIComponent(location.pathname + location.search)}`);
  });
  ticking(draw);
}

function draw() {
  for (const list of document.querySelectorAll("[data-fresh-for]")) {
    const age = now() - (answered.get(list) ?? 0);
    const stale = age > 1000 * Number(list.dataset.freshFor);
    list.toggleAttribute("data-stale", stale);
    if (stale) list.dataset.age = `STALE ${duration(1000 * Math.floor(age / 1000))}`;
  }
}
