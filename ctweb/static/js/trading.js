// The pages of trading: lists that refresh themselves, buttons and forms that ask REST.

import { startCancelShown } from "./cancelshown.js";
import { refuse, startForms } from "./forms.js";
import { startFrame } from "./frame.js";
import { startFresh } from "./fresh.js";
import { openSheet } from "./haltsheet.js";
import { onKey } from "./keys.js";
import { listen, listened } from "./listening.js";

const byId = (id) => document.getElementById(id);

startFrame();
startForms();
startFresh();
startCancelShown();
listen(listened());
startFilter();
onKey("n", () => byId("new")?.click());
onKey("o", () => (byId("open")?.ariaCurrent ? byId("all") : byId("open"))?.click());
document.addEventListener("click", ({ target }) => {
  const halt = target.closest("[data-halt]");
  if (halt !== null) openSheet(halt.dataset.halt, halt.dataset.name, halt.dataset.mode);
  const resume = target.closest("[data-resume]");
  if (resume !== null) askResume(resume.dataset);
  const unlimit = target.closest("[data-unlimit]");
  if (unlimit !== null) askUnlimit(unlimit.dataset);
  if (target.id === "live-switch") {
    const sheet = byId(target.dataset.sheet);
    empty(sheet.querySelector("form"));
    sheet.showModal();
  }
});

/** Neither what was written nor what was refused is of what it is opened for now. */
function empty(form) {
  form.reset();
  refuse(form.querySelector("[data-refused]"), null);
}

/** A choice is shown at once; without a script its button is pressed. */
function startFilter() {
  if (byId("filter") === null) return;
  byId("filter-go").hidden = true;
  byId("filter").addEventListener("change", ({ currentTarget }) => currentTarget.submit());
}

function askResume({ resume, name }) {
  const form = byId("resume-form");
  const [scope, ...id] = resume.split(":");
  empty(form);
  form.elements.scope.value = scope;
  form.elements.scope_id.value = id.join(":");
  byId("resume-what").textContent = name;
  warnOfUnconfirmed(resume);
  byId("resume").showModal();
}

function askUnlimit({ unlimit, name }) {
  const form = byId("unlimit-form");
  empty(form);
  form.dataset.form = `/api/v1/risk/limits/${unlimit}`;
  byId("unlimit-what").textContent = name;
  byId("unlimit").showModal();
}

/** What is not proven yet is named before somebody lets it go on. */
function warnOfUnconfirmed(scope) {
  const open = document.querySelectorAll(`[data-report="${CSS.escape(scope)}"] tr[data-verdict]:not([data-verdict="confirmed"])`);
  byId("resume-warn").hidden = open.length === 0;
  byId("resume-warn").textContent = `▲ ${open.length} orders of this halt are not confirmed yet.`;
}
