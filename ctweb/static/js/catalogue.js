// The instrument catalogue: fetched once, searched in memory.

const MARKETS = ["spot", "futures"];
let loading = null;

/** {read_ms, rows}; a row has key, exchange, market, pair, base, quote, words (lower case, to search in), the depths
 * that may be asked for (0: full) and facts. */
export function catalogue() {
  loading ??= fetch("/pairs/catalogue.json").then(async (answer) => {
    if (!answer.ok) throw new Error(`the catalogue did not load: ${answer.status}`);
    return expand(await answer.json());
  });
  return loading;
}

/** The next `catalogue()` asks the server again. */
export function forget() {
  loading = null;
}

function expand({ exchanges, fields, rows, read_ms }) {
  const at = Object.fromEntries(fields.map((name, index) => [name, index]));
  return {
    read_ms,
    rows: rows.map((row) => {
      const [code, name, depths] = exchanges[row[at.exchange]];
      const market = MARKETS[row[at.market]];
      const pair = row[at.pair];
      const [base, quote] = [row[at.base], row[at.quote]];
      return {
        key: `${code}:${market}:${pair}`,
        url: `/book/${code}/${market}/${pair.replace("/", "-")}/`,
        exchange: name,
        code,
        market,
        pair,
        base,
        quote,
        symbol: row[at.symbol],
        tick: row[at.tick],
        lot: row[at.lot],
        status: row[at.status],
        volume: row[at.volume],
        depths: depths[row[at.market]],
        words: `${code} ${name} ${market} ${pair} ${base} ${quote}`.toLowerCase(),
      };
    }),
  };
}

/** The rows in which every word is found. A word that names an exchange or a market whole narrows to those named:
 * "okx kucoin eth" is eth on either. */
export function match(rows, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return rows;
  const codes = new Set(rows.map((row) => row.code));
  const exchanges = words.filter((word) => codes.has(word));
  const rest = words.filter((word) => !codes.has(word));
  return rows.filter(
    (row) => (!exchanges.length || exchanges.includes(row.code)) && rest.every((word) => row.words.includes(word)),
  );
}
