"""CoinEx's account endpoints: balances, positions, fees, funding, leverage."""

from typing import Any

from apps.feeds.simulator.coinex import rows
from apps.feeds.simulator.coinex.auth import Caller
from apps.feeds.simulator.coinex.orders import FOREVER_MS, Page
from apps.feeds.simulator.coinex.params import MARKET_TYPE, illegal
from apps.feeds.simulator.coinex.refusals import UNKNOWN_MARKET, RefusalError
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Funding
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Mode

MODES: dict[str, Mode] = {"cross": "cross", "isolated": "isolated"}
LEVERAGES = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 100)
NAMES = {name: market_type for market_type, name in MARKET_TYPE.items()}


class Accounts:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def spot_balance(self, caller: Caller) -> list[dict[str, Any]]:
        return [
            {"ccy": asset, "available": rows.plain(row.free), "frozen": rows.plain(row.locked)}
            for asset, row in caller.account.wallets.get("spot", {}).items()
            if row.total
        ]

    def futures_balance(self, caller: Caller) -> list[dict[str, Any]]:
        return [
            rows.futures_balance(self._desk, caller.account, asset, row)
            for asset, row in caller.account.wallets.get("futures", {}).items()
            if row.total
        ]

    def positions(self, caller: Caller) -> Page:
        caller.params.check_market_type("futures")
        symbol = self._listing(caller, "futures").symbol if "market" in caller.params else None
        found = [row for row in caller.account.positions.values() if row.size and symbol in (None, row.listing.symbol)]
        page, more = caller.params.page(found)
        told = [rows.listed_position(self._desk, caller.account, row) for row in page]
        return Page(told, {"has_next": more})

    def set_leverage(self, caller: Caller) -> dict[str, Any]:
        params, listing = caller.params, self._listing(caller, "futures")
        params.check_market_type("futures")
        mode, leverage = params.one_of("margin_mode", MODES), params.whole("leverage")
        if leverage not in LEVERAGES:
            raise illegal("leverage")
        self._desk.set_leverage(caller.account, listing.symbol, leverage, mode)
        return {"margin_mode": mode, "leverage": leverage}

    def fee_rate(self, caller: Caller) -> dict[str, Any]:
        market_type = caller.params.one_of("market_type", NAMES)
        rates = caller.account.rate(market_type)
        return {
            "market": self._listing(caller, market_type).symbol,
            "maker_rate": rows.plain(rates.maker),
            "taker_rate": rows.plain(rates.taker),
        }

    def funding(self, caller: Caller) -> Page:
        """Newest first."""
        params, symbol = caller.params, self._listing(caller, "futures").symbol
        params.check_market_type("futures")
        first, last = params.whole("start_time", 0), params.whole("end_time", FOREVER_MS)
        found = [
            row for row in reversed(caller.account.funding) if row.listing.symbol == symbol and first <= row.ms <= last
        ]
        page, more = params.page(found)
        return Page([_funding_row(caller, row) for row in page], {"has_next": more})

    def _listing(self, caller: Caller, market_type: str) -> Listing:
        symbol = caller.params.text("market")
        for listing in self._desk.listed(market_type):
            if listing.symbol == symbol:
                return listing
        raise RefusalError(*UNKNOWN_MARKET)


def _funding_row(caller: Caller, row: Funding) -> dict[str, Any]:
    """`funding_value` is the worth of the position times the rate: a long pays it when the rate is positive."""
    value = abs(row.amount) if row.rate > 0 else -abs(row.amount)
    return {
        "market": row.listing.symbol,
        "market_type": MARKET_TYPE["futures"],
        "ccy": row.asset,
        "position_id": rows.position_id(caller.account, row.listing.symbol),
        "side": "long" if row.amount * row.rate < 0 else "short",
        "funding_rate": rows.plain(row.rate),
        "funding_value": rows.plain(value),
        "created_at": row.ms,
    }
