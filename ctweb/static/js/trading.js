// The pages of trading: lists that refresh themselves, buttons and forms that ask REST.

import { startForms } from "./forms.js";
import { startFrame } from "./frame.js";
import { openSheet } from "./halt.js";
import { onKey } from "./keys.js";
import { listen, listened } from "./listening.js";

const byId = (id) => document.getElementById(id);

startFrame();
startForms();
listen(listened());
onKey("n", () => byId("new")?.click());
onKey("o", () => (byId("open")?.ariaCurrent ? byId("all") : byId("open"))?.click());
document.addEventListener("click", ({ target }) => {
  const halt = target.closest("[data-halt]");
  if (halt !== null) openSheet(halt.dataset.halt, halt.closest("li").querySelector(".what").innerText);
  const resume = target.closest("[data-resume]");
  if (resume !== null) askResume(resume.dataset);
  const unlimit = target.closest("[data-unlimit]");
  if (unlimit !== null) askUnlimit(unlimit.dataset);
});

function askResume({ resume, name }) {
  const form = byId("resume-form");
  const [scope, ...id] = resume.split(":");
  form.reset();
  form.elements.scope.value = scope;
  form.elements.scope_id.value = id.join(":");
  byId("resume-what").textContent = name;
  byId("resume").showModal();
}

function askUnlimit({ unlimit, name }) {
  const form = byId("unlimit-form");
  form.reset();
  form.dataset.form = `/api/v1/risk/limits/${unlimit}`;
  byId("unlimit-what").textContent = name;
  byId("unlimit").showModal();
}
