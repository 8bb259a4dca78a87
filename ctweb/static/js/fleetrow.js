// A row of the fleet by name; the order of the fields is that of `Row` in ctweb/live/fleet.py.

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

  /** A row's age now. A row that did not come again is as old as when it last came: healthy rows are not repeated. */
  age(row, now) {
    if (row.age_ms === null) return null;
    return row.age_ms + now - (row.state === "LIVE" ? this.at : row.at);
  }
}
