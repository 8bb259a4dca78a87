// The filters of the Pairs page: each group narrows, its own boxes widen; counts say what each box would give.

const QUOTES = ["USDT", "USDC", "BTC"];

/** Tests of one row, by group; `stateOf(row)` is "live", "bad" or "off". */
const tests = {
  code: (row, value) => row.code === value,
  market: (row, value) => row.market === value,
  quote: (row, value) => (value === "other" ? !QUOTES.includes(row.quote) : row.quote === value),
  state: (row, value, stateOf) => stateOf(row) === value,
  volume: (row, value) => (row.volume ?? 0) >= Number(value),
};

export class Filters {
  #groups;
  #stateOf;

  constructor(form, stateOf, changed) {
    this.#stateOf = stateOf;
    this.#groups = [...form.querySelectorAll("fieldset")].map((node) => ({
      name: node.dataset.group,
      boxes: [...node.querySelectorAll("input")].map((box) => ({ box, count: box.closest("label").querySelector(".n") })),
    }));
    form.addEventListener("change", changed);
  }

  clear() {
    for (const { boxes } of this.#groups) for (const { box } of boxes) box.checked = false;
  }

  /** The rows that pass every group. */
  apply(rows) {
    return rows.filter((row) => this.#groups.every((group) => this.#passes(row, group)));
  }

  /** Write beside each box how many rows it has among those that pass the other groups. */
  count(rows) {
    for (const group of this.#groups) {
      const others = this.#groups.filter((one) => one !== group);
      const among = rows.filter((row) => others.every((one) => this.#passes(row, one)));
      for (const { box, count } of group.boxes) {
        const hits = among.filter((row) => tests[group.name](row, box.value, this.#stateOf)).length;
        count.textContent = hits.toLocaleString("en");
      }
    }
  }

  #passes(row, { name, boxes }) {
    const wanted = boxes.filter(({ box }) => box.checked);
    return !wanted.length || wanted.some(({ box }) => tests[name](row, box.value, this.#stateOf));
  }
}
