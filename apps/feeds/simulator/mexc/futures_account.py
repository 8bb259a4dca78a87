"""MEXC's account of contracts: wallets, positions, leverage, modes, fees and funding."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.mexc import futures_rows as rows
from apps.feeds.simulator.mexc.auth import Caller
from apps.feeds.simulator.mexc.futures_orders import HEDGE, MODES, page
from apps.feeds.simulator.mexc.refusals import refusal
from apps.feeds.simulator.trading.accounts import Account, Holding, Position
from apps.feeds.simulator.trading.checks import closing
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Direction, Ticket

MODE_IN_USE = (2029, "Positions or orders exist: the mode cannot be changed")
POSITION_TYPES = (1, 2)
MAINTENANCE = Decimal("0.004")


class FuturesAccounts:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def assets(self, caller: Caller) -> list[dict[str, Any]]:
        held = caller.account.wallets.get("futures", {})
        return [self._asset(caller.account, name, row) for name, row in held.items()]

    def asset(self, caller: Caller) -> dict[str, Any]:
        name = caller.parts[0]
        return self._asset(caller.account, name, caller.account.wallets.get("futures", {}).get(name, Holding()))

    def positions(self, caller: Caller) -> list[dict[str, Any]]:
        symbol = caller.params.optional("symbol")
        return [
            rows.position(caller.account, row, _frozen(caller.account, row))
            for row in caller.account.positions.values()
            if row.size and symbol in (None, row.listing.symbol)
        ]

    def mode(self, caller: Caller) -> int:
        return 1 if caller.account.hedge else 2

    def set_mode(self, caller: Caller) -> None:
        account, hedge = caller.account, caller.params.one_of("positionMode", HEDGE)
        busy = any(order.listing.market_type == "futures" for order in account.open.values())
        if busy or any(row.size for row in account.positions.values()):
            raise refusal("futures", MODE_IN_USE)
        account.hedge = hedge

    def leverage(self, caller: Caller) -> list[dict[str, Any]]:
        setting = caller.account.setting(self._listing(caller).symbol)
        return [
            {
                "level": 1,
                "positionType": position_type,
                "openType": rows.OPEN_TYPES[setting.mode],
                "leverage": setting.leverage,
                "maxVol": 900000,
                "mmr": MAINTENANCE,
                "imr": rows.number(1 / Decimal(setting.leverage)),
            }
            for position_type in POSITION_TYPES
        ]

    def set_leverage(self, caller: Caller) -> None:
        """For a position by its id, or for a symbol."""
        params = caller.params
        mode = params.one_of("openType", MODES) if "openType" in params else None
        self._desk.set_leverage(caller.account, self._named(caller), params.whole("leverage"), mode)

    def fees(self, caller: Caller) -> dict[str, Any]:
        self._listing(caller)
        rates = caller.account.rate("futures")
        return {
            "level": 1,
            "dealAmount": 0,
            "walletBalance": 0,
            "makerFee": rates.maker,
            "takerFee": rates.taker,
            "makerFeeDiscount": 1,
            "takerFeeDiscount": 1,
        }

    def funding(self, caller: Caller) -> dict[str, Any]:
        """The latest first. What is received is positive."""
        symbol = caller.params.optional("symbol")
        found = [row for row in reversed(caller.account.funding) if symbol in (None, row.listing.symbol)]
        shown, size = page(caller, found), caller.params.whole("page_size", 20)
        return {
            "pageSize": size,
            "totalCount": len(found),
            "totalPage": -(-len(found) // size),
            "currentPage": caller.params.whole("page_num", 1),
            "resultList": [
                {
                    "id": 7_400_000 + row.number,
                    "symbol": row.listing.symbol,
                    "positionType": 1 if row.amount * row.rate < 0 else 2,
                    "positionValue": rows.number(abs(row.amount / row.rate) if row.rate else Decimal(0)),
                    "funding": rows.number(row.amount),
                    "rate": row.rate,
                    "settleTime": row.ms,
                }
                for row in shown
            ],
        }

    def _asset(self, account: Account, name: str, row: Holding) -> dict[str, Any]:
        margin = account.margin(name)
        unrealised = sum(
            (p.unrealised(self._desk.mark(p.listing)) for p in account.positions.values() if _is_of(p, name)),
            Decimal(0),
        )
        return {
            **rows.asset(name, row, margin),
            "cashBalance": rows.number(row.total),
            "equity": rows.number(row.total + unrealised),
            "unrealized": rows.number(unrealised),
        }

    def _named(self, caller: Caller) -> str:
        number = caller.params.whole("positionId")
        for row in caller.account.positions.values():
            if number == rows.position_id(caller.account, row):
                return row.listing.symbol
        return self._listing(caller).symbol

    def _listing(self, caller: Caller) -> Listing:
        return self._desk.market("futures", caller.params.text("symbol")).listing


def _is_of(row: Position, asset: str) -> bool:
    return bool(row.size) and row.listing.settle == asset


def _frozen(account: Account, row: Position) -> int:
    """Contracts of open orders that only close the position."""
    side: Direction = "sell" if row.size > 0 else "buy"
    probe = Ticket(market_type="futures", symbol=row.listing.symbol, side=side, kind="market", position_side=row.side)
    return closing(account, row.listing, probe)
