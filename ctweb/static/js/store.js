// The page's clock and its one drawing loop: whoever has something new to draw says so, all of it is drawn together.

const dirty = new Set();
const drawn = [];
let scheduled = false;
let paused = false;

export const now = () => performance.now();

/** Call `draw` in the next animation frame; asked twice it is called once. */
export function redraw(draw) {
  dirty.add(draw);
  schedule();
}

/** Call `done` when everything that is dirty now has been drawn. A hidden tab draws nothing: at once. */
export function afterDraw(done) {
  if (document.hidden) {
    done();
    return;
  }
  drawn.push(done);
  schedule();
}

/** Draw `draw` four times a second as well: for ages. */
export function ticking(draw) {
  setInterval(() => redraw(draw), 250);
  redraw(draw);
}

/** Stop or go on drawing; data keeps arriving meanwhile. */
export function pause(on) {
  paused = on;
  document.body.dataset.paused = on ? "1" : "";
  if (!on) schedule();
}

export const isPaused = () => paused;

function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(run);
}

function run() {
  scheduled = false;
  if (!paused) {
    const todo = [...dirty];
    dirty.clear();
    for (const draw of todo) draw();
  }
  for (const done of drawn.splice(0)) done();
}

/** An age that the server measured, carried on by our own monotonic clock. */
export class Age {
  constructor() {
    this.ms = null;
    this.at = 0;
  }

  set(ms) {
    this.ms = ms;
    this.at = now();
  }

  get() {
    return this.ms === null ? null : this.ms + now() - this.at;
  }
}

/** Set the text of a node only when it differs. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Set a data attribute only when it differs. */
export function mark(node, name, value) {
  if (node.dataset[name] !== value) node.dataset[name] = value;
}
