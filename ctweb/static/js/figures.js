// What is computed from a drawn book: mid, spread, balance, depth within some bp, the cost of taking. Pure.

const NUMBERS = (levels) => levels.map(([price, size]) => [Number(price), Number(size)]);

/** {mid, spread, ticks, bp} or null when a side is empty or the book is crossed. */
export function quote(book, tick) {
  if (!book || !book.b.length || !book.a.length) return null;
  const [bid, ask] = [Number(book.b[0][0]), Number(book.a[0][0])];
  if (bid >= ask) return null;
  const mid = (bid + ask) / 2;
  return { bid, ask, mid, spread: ask - bid, ticks: Math.round((ask - bid) / Number(tick)), bp: ((ask - bid) / mid) * 1e4 };
}

/** Share of the bids in the size of both sides, 0-1. */
export function balance(book) {
  const size = (levels) => levels.reduce((sum, [, amount]) => sum + Number(amount), 0);
  const [bids, asks] = [size(book.b), size(book.a)];
  return bids + asks ? bids / (bids + asks) : 0.5;
}

/** Cumulative size by distance from the mid: [[bp, base]...] of one side, and whether the book ends before `bp`. */
export function curve(levels, mid, bp) {
  const points = [];
  let total = 0;
  for (const [price, size] of NUMBERS(levels)) {
    const distance = (Math.abs(price - mid) / mid) * 1e4;
    if (distance > bp) return { points: [...points, [bp, total]], total, whole: true };
    total += size;
    points.push([distance, total]);
  }
  return { points, total, whole: false };
}

/** Cost in bp against the mid, before fees, of taking `notional` (quote) from `levels`; null: more than the book has. */
export function cost(levels, mid, notional) {
  let left = notional;
  let base = 0;
  for (const [price, size] of NUMBERS(levels)) {
    const take = Math.min(left, price * size);
    base += take / price;
    left -= take;
    if (left <= 1e-9) return (Math.abs(notional / base - mid) / mid) * 1e4;
  }
  return null;
}

/** Edge in bp, gross, of buying at `ask` and selling at `bid`. */
export const edge = (ask, bid) => ((bid - ask) / ask) * 1e4;
