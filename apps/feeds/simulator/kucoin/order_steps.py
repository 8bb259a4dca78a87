"""An order's way as the classic private topics tell it, step by step."""

from collections.abc import Iterator
from typing import Any

from apps.feeds.simulator.kucoin import words
from apps.feeds.simulator.kucoin.futures_rows import MODES, POSITION_SIDES
from apps.feeds.simulator.kucoin.spot_rows import order_funds
from apps.feeds.simulator.kucoin.streams import ns
from apps.feeds.simulator.kucoin.words import plain
from apps.feeds.simulator.trading.accounts import Execution, Order
from apps.feeds.simulator.trading.events import OrderEvent
from apps.feeds.simulator.trading.tickets import Ended

Told = dict[str, Any]


def steps(event: OrderEvent) -> Iterator[tuple[str, str, Execution | None]]:
    """An event as KuCoin's steps: type, status, execution.

    An order is `open` when it rests: at once, or after what it took as it came in.
    """
    order = event.order
    live = order.account.orders.get(order.id, order)
    taken = [execution for execution in live.executions if not execution.is_maker]
    if event.kind == "new":
        yield "received", "new", None
        if _rests(live) and not taken:
            yield "open", "open", None
    elif event.kind == "cancelled":
        yield "canceled", "done", None
    else:
        yield "match", "match", event.execution
        if not order.left:
            yield "filled", "done", None
        elif _rests(live) and taken and event.execution is taken[-1]:
            yield "open", "open", None


def _rests(order: Order) -> bool:
    """Whether the order has been in the book, or is."""
    ticket = order.ticket
    return ticket.kind == "limit" and ticket.force in ("gtc", "post") and order.ended is not Ended.POST_ONLY


def spot_order(order: Order, kind: str, status: str, execution: Execution | None, ms: int, *, old: bool) -> Told:
    """`old`: the first version of the topic names sizes and times otherwise."""
    ticket = order.ticket
    data: Told = {
        "clientOid": order.client_id,
        "orderId": order.id,
        "orderTime": ns(order.created_ms) if old else order.created_ms,
        "orderType": ticket.kind,
        "side": order.side,
        "status": status,
        "symbol": order.listing.symbol,
        "ts": ns(ms),
        "type": kind,
    }
    if ticket.quote_size is None:
        data |= {"size": words.size(order, order.size)} if old else {"originSize": words.size(order, order.size)}
    else:
        data |= {"funds" if old else "originFunds": plain(order_funds(order))}
    if order.price:
        data["price"] = words.price(order)
    if kind == "received":
        return data
    data |= {
        "canceledSize": words.size(order, words.cut(order)),
        "filledSize": words.size(order, order.filled),
        "remainSize": words.size(order, words.remaining(order)),
    }
    if kind == "open" and not old:
        data["size"] = words.size(order, order.size)
    return data if execution is None else data | _match(execution, order.listing.size.text(execution.size))


def futures_order(order: Order, kind: str, status: str, execution: Execution | None, ms: int) -> Told:
    ticket = order.ticket
    data: Told = {
        "symbol": order.listing.symbol,
        "orderType": ticket.kind,
        "side": order.side,
        "canceledSize": str(words.cut(order)),
        "orderId": order.id,
        "positionSide": POSITION_SIDES[ticket.position_side],
        "liquidity": words.role(order.executions[-1]) if order.executions else "maker",
        "marginMode": MODES[ticket.words["mode"]],
        "type": kind,
        "orderTime": str(words.made_ns(order)),
        "size": str(order.size),
        "filledSize": str(order.filled),
        "price": words.price(order),
        "remainSize": str(words.remaining(order)),
        "clientOid": order.client_id,
        "tradeType": "trade",
        "status": status,
        "ts": ns(ms),
    }
    return data if execution is None else data | _match(execution, str(execution.size))


def _match(execution: Execution, size: str) -> Told:
    role = words.role(execution)
    return {
        "matchPrice": execution.order.listing.price.text(execution.price),
        "matchSize": size,
        "tradeId": str(words.trade_id(execution)),
        "liquidity": role,
        "feeType": f"{role}Fee",
    }
