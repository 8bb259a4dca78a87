"""Bybit's funding payments: executions that are no trades, and lines of the transaction log."""

import uuid
from typing import Any

from apps.feeds.simulator.bybit import rows
from apps.feeds.simulator.bybit.auth import Caller
from apps.feeds.simulator.trading.accounts import Account, Funding
from apps.feeds.simulator.trading.desk import Desk


def paid(desk: Desk, account: Account, row: Funding) -> dict[str, Any]:
    """One payment as an execution: what is paid is a fee, what is received a negative one."""
    listing, mark = row.listing, desk.mark(row.listing)
    held = sum(p.size for p in account.positions.values() if p.listing is listing)
    size = listing.size.text(abs(held))
    return {
        "symbol": listing.symbol,
        "orderId": _id(account, row, "order"),
        "orderLinkId": "",
        "side": "Buy" if (row.amount < 0) == (row.rate > 0) else "Sell",
        "orderType": "UNKNOWN",
        "stopOrderType": "UNKNOWN",
        "orderPrice": "0",
        "orderQty": "0",
        "leavesQty": "0",
        "execId": _id(account, row, "execution"),
        "execPrice": rows.number(mark),
        "execQty": size,
        "execValue": rows.number(mark * abs(held) * listing.size.step * listing.contract),
        "execType": "Funding",
        "execTime": str(row.ms),
        "execFee": rows.number(-row.amount),
        "feeRate": rows.number(row.rate),
        "feeCurrency": row.asset,
        "execPnl": "",
        "closedSize": "0",
        "isMaker": False,
        "isLeverage": "0",
        "markPrice": rows.number(mark),
        "marketUnit": "",
        "createType": "",
        "seq": row.number,
        **dict.fromkeys(rows.UNUSED_TRADE, ""),
    }


def log(desk: Desk, caller: Caller) -> dict[str, Any]:
    """Newest first; funding ("SETTLEMENT") is all that is kept here. `funding` is negative where it is paid."""
    params, account = caller.params, caller.account
    first, last = params.span(desk.now_ms())
    kind, category = params.optional("type"), params.optional("category")
    found = [
        _line(desk, account, row)
        for row in reversed(account.funding)
        if first <= row.ms <= last and kind in (None, "SETTLEMENT") and category in (None, row.listing.category)
        if params.optional("currency") in (None, row.asset)
    ]
    page, cursor = params.page(found, 20, 50)
    return {"nextPageCursor": cursor, "list": page}


def _line(desk: Desk, account: Account, row: Funding) -> dict[str, Any]:
    whole = paid(desk, account, row)
    return {
        "id": f"{row.number}_{row.listing.symbol}_{row.ms}",
        "symbol": row.listing.symbol,
        "category": row.listing.category,
        "side": whole["side"],
        "transactionTime": str(row.ms),
        "type": "SETTLEMENT",
        "transSubType": "",
        "qty": whole["execQty"],
        "size": whole["execQty"],
        "currency": row.asset,
        "tradePrice": whole["execPrice"],
        "funding": rows.number(row.amount),
        "fee": "0",
        "cashFlow": "0",
        "change": rows.number(row.amount),
        "cashBalance": rows.number(account.holding("futures", row.asset).total),
        "feeRate": rows.number(row.rate),
        "bonusChange": "",
        "tradeId": whole["execId"],
        "orderId": whole["orderId"],
        "orderLinkId": "",
        "extraFees": "",
    }


def _id(account: Account, row: Funding, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{account.name} {what} {row.number}"))
