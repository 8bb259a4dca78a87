// What a change of the watched pairs will cost, asked of the server before it is made.

import { fixed } from "./fmt.js";
import { named, post } from "./server.js";

/** Fill the list with the cost of switching `keys`; false when it does not fit or cannot be. */
export async function drawCost(list, keys, enabled, depth) {
  let cost;
  try {
    cost = await post("/api/v1/pairs/preview", { pairs: keys.map(named), enabled, depth });
  } catch (error) {
    list.replaceChildren(...line("Refused", error.message, "bad"));
    return false;
  }
  const [before, after] = cost.books;
  const [slow, fast] = cost.messages_s;
  const change = after - before;
  list.replaceChildren(
    ...line(change < 0 ? "Fewer books" : "New books", `${change < 0 ? "−" : "+"}${Math.abs(change)}`),
    ...line("Books", `${before} → ${after} of ${cost.pair_slots}`, after > cost.pair_slots ? "bad" : ""),
    ...line("Sockets", `${cost.sockets[0]} → ${cost.sockets[1]} of ${cost.socket_slots}`, cost.sockets[1] > cost.socket_slots ? "bad" : ""),
    ...line("Subscribe frames", fixed(cost.subscribe_frames, 0)),
    ...line("Messages, estimate", `${fast >= slow ? "+" : "−"}${fixed(Math.abs(fast - slow), 0)} /s`),
    ...line("Other books on these sockets", `${cost.interrupted} interrupted`, cost.interrupted ? "warn" : "good"),
    ...(cost.fits ? [] : line("Capacity", `${Math.max(0, after - cost.pair_slots)} books find no place`, "bad")),
  );
  return cost.fits;
}

function line(label, value, kind = "") {
  return [
    Object.assign(document.createElement("dt"), { textContent: label }),
    Object.assign(document.createElement("dd"), { textContent: value, className: kind }),
  ];
}
