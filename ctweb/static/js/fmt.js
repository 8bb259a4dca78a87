// Numbers as people read them. Pure: strings or numbers in, text out. Missing is "–", never 0.

export const MISSING = "–";
const MINUS = "−";

/** "97412.36" -> "97,412.36": thousands in the whole part only; the text's own decimals stay. */
export function group(text) {
  if (text === null || text === undefined) return MISSING;
  const [whole, part] = String(text).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",").replace("-", MINUS);
  return part === undefined ? grouped : `${grouped}.${part}`;
}

/** A number with `digits` decimals and grouped thousands. */
export function fixed(value, digits) {
  return value === null || value === undefined || Number.isNaN(value) ? MISSING : group(value.toFixed(digits));
}

/** With its sign written out; zero has none. */
export function signed(value, digits) {
  if (value === null || value === undefined) return MISSING;
  const text = fixed(Math.abs(value), digits);
  if (Number(value.toFixed(digits)) === 0) return text;
  return (value < 0 ? MINUS : "+") + text;
}

/** Basis points: one decimal under 10, none above. */
export function bp(value) {
  return value === null || value === undefined ? MISSING : signed(value, Math.abs(value) < 10 ? 1 : 0);
}

/** Six significant digits, no exponent, at most `most` decimals. */
export function significant(value, digits = 6, most = 12) {
  if (value === null || value === undefined) return MISSING;
  if (value === 0) return "0";
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return group(value.toFixed(Math.min(decimals, most)));
}

/** 1513000 -> "1,513k"; 12.4 M; three digits or more, with the unit that keeps it short. */
export function short(value) {
  if (value === null || value === undefined) return MISSING;
  for (const [limit, unit] of [[1e9, " B"], [1e6, " M"], [1e3, " k"]]) {
    if (Math.abs(value) >= limit) return `${Number((value / limit).toPrecision(3))}${unit}`;
  }
  return String(Number(value.toPrecision(3)));
}

/** A quote total of a level: thousands with "k". */
export function thousands(value) {
  return value < 1000 ? value.toFixed(0) : `${group((value / 1000).toFixed(0))}k`;
}

/** "420 ms", "14.2 s", "6 m 12 s", "3 h 5 m", "2 d 11 h". */
export function duration(ms) {
  if (ms === null || ms === undefined) return MISSING;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${s.toFixed(1)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${Math.floor(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} m`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** UTC time of day of a moment in ms, with `digits` of the second. */
export function clock(ms, digits = 3) {
  return ms === null || ms === undefined ? MISSING : new Date(ms).toISOString().slice(11, digits ? 20 + digits : 19);
}

/** Digits after the point that multiples of `tick` (a decimal string) need: "0.5" -> 1, "5" -> 0. */
export function decimals(tick) {
  const part = String(tick).split(".")[1];
  return part === undefined ? 0 : part.replace(/0+$/, "").length;
}

/** "97412.36" -> ["97,412.", "36"]: the last two digits are what moves. */
export function split(price) {
  const text = group(price);
  let cut = text.length;
  for (let digits = 0; cut > 0 && digits < 2; cut -= 1) if (/\d/.test(text[cut - 1])) digits += 1;
  return [text.slice(0, cut), text.slice(cut)];
}

const SIDES = { buy: ["▲", "bid"], sell: ["▼", "ask"] };

/** Sign and class of a trade's side; some exchanges do not say which it was. */
export function sideOf(trade) {
  return SIDES[trade.side] ?? ["·", "dim"];
}
