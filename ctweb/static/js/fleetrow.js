// A row of the fleet by name; the order of the fields is that of `Row` in ctweb/live/shapes.py.

const FIELDS = [
  "key", "state", "reason", "step", "since_ms", "age_ms", "limit_ms", "lag_ms", "msg_s", "gaps_1h", "resyncs", "seq",
  "depth", "daemon", "fence", "asked_ms", "subscribed_ms", "synced_ms",
];

export function fleetRow(values) {
  const row = {};
  FIELDS.forEach((name, index) => { row[name] = values[index]; });
  const [exchange, market, ...pair] = row.key.split(":");
  Object.assign(row, { exchange, market, pair: pair.join(":") });
  return row;
}

const REPORT_MS = 2000; // the fleet comes once a second

/** All rows of a fleet subscription: applies messages, remembers when. */
export class Fleet {
  rows = new Map();
  at = 0;

  /** Returns the keys that changed and those that are gone. */
  apply(message, now) {
    const changed = [];
    const gone = message.full ? new Set(this.rows.keys()) : new Set(message.gone);
    for (const values of message.rows) {
      const row = fleetRow(values);
      row.at = now;
      this.rows.set(row.key, row);
      gone.delete(row.key);
      changed.push(row);
    }
    for (const key of gone) this.rows.delete(key);
    this.at = now;
    return { changed, gone };
  }

  /** A row's age now. What a report of the last two seconds said of a healthy book stands; then its age goes on. */
  age(row, now) {
    if (row.age_ms === null) return null;
    const since = row.state === "LIVE" ? now - this.at : now - row.at;
    return row.age_ms + (since < REPORT_MS && row.state === "LIVE" ? 0 : since);
  }
}
