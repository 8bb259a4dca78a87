"""Binance's account endpoints of futures: balances, positions, fees, funding, leverage, modes."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.binance.auth import Caller
from apps.feeds.simulator.binance.refusals import (
    MARGIN_OF_ORDERS,
    MARGIN_OF_POSITION,
    NO_CHANGE_OF_MARGIN,
    NO_CHANGE_OF_SIDE,
    SIDE_OF_POSITION,
    RefusalError,
    refusal,
)
from apps.feeds.simulator.binance.rows import SIDE, money
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Account, Position, unit
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Mode, Reason, Refused

MARGIN_TYPES: dict[str, Mode] = {"ISOLATED": "isolated", "CROSSED": "cross"}
MAINTENANCE = Decimal("0.005")
MOST_NOTIONAL = "230000000"
DONE = {"code": 200, "msg": "success"}
# fields of an account and the field of its assets that each is the sum of
TOTALS = {
    "totalInitialMargin": "initialMargin",
    "totalMaintMargin": "maintMargin",
    "totalWalletBalance": "walletBalance",
    "totalUnrealizedProfit": "unrealizedProfit",
    "totalMarginBalance": "marginBalance",
    "totalPositionInitialMargin": "positionInitialMargin",
    "totalOpenOrderInitialMargin": "openOrderInitialMargin",
    "totalCrossWalletBalance": "crossWalletBalance",
    "totalCrossUnPnl": "crossUnPnl",
    "availableBalance": "availableBalance",
    "maxWithdrawAmount": "maxWithdrawAmount",
}


class Margin:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def balance(self, caller: Caller) -> list[dict[str, Any]]:
        return [
            {
                "accountAlias": "SgsR",
                "asset": asset,
                "balance": money(row.total),
                "crossWalletBalance": money(row.total),
                "crossUnPnl": money(self._unrealised(caller.account, asset)),
                "availableBalance": money(row.free),
                "maxWithdrawAmount": money(row.free),
                "marginAvailable": True,
                "updateTime": self._desk.now_ms(),
            }
            for asset, row in caller.account.wallets.get("futures", {}).items()
        ]

    def account(self, caller: Caller) -> dict[str, Any]:
        held = caller.account.wallets.get("futures", {})
        assets: list[dict[str, Any]] = [
            {
                "asset": asset,
                "walletBalance": money(row.total),
                "unrealizedProfit": money(self._unrealised(caller.account, asset)),
                "marginBalance": money(row.total + self._unrealised(caller.account, asset)),
                "maintMargin": money(self._maintenance(caller.account, asset)),
                "initialMargin": money(row.locked),
                "positionInitialMargin": money(self._margin(caller.account, asset)),
                "openOrderInitialMargin": money(row.locked - self._margin(caller.account, asset)),
                "crossWalletBalance": money(row.total),
                "crossUnPnl": money(self._unrealised(caller.account, asset)),
                "availableBalance": money(row.free),
                "maxWithdrawAmount": money(row.free),
                "updateTime": self._desk.now_ms(),
            }
            for asset, row in held.items()
        ]
        totals = {name: money(total(row[of] for row in assets)) for name, of in TOTALS.items()}
        return {**totals, "assets": assets, "positions": [self._account_row(row) for row in self._held(caller)]}

    def positions(self, caller: Caller) -> list[dict[str, Any]]:
        """Only symbols with a position or an order."""
        symbol = caller.params.optional("symbol")
        open_symbols = {row.listing.symbol for row in caller.account.open.values()}
        return [
            self._risk_row(row)
            for row in caller.account.positions.values()
            if (row.size or row.listing.symbol in open_symbols) and symbol in (None, row.listing.symbol)
        ]

    def commission(self, caller: Caller) -> dict[str, Any]:
        rates = caller.account.rate("futures")
        return {
            "symbol": self._listing(caller).symbol,
            "makerCommissionRate": f"{rates.maker:.6f}",
            "takerCommissionRate": f"{rates.taker:.6f}",
        }

    def income(self, caller: Caller) -> list[dict[str, Any]]:
        """Funding payments are all the income that is kept here."""
        params = caller.params
        first, last = params.whole("startTime"), params.whole("endTime", 2**63)
        symbol = params.optional("symbol")
        if params.optional("incomeType") not in (None, "FUNDING_FEE"):
            return []
        rows = [
            {
                "symbol": row.listing.symbol,
                "incomeType": "FUNDING_FEE",
                "income": money(row.amount),
                "asset": row.asset,
                "info": "FUNDING_FEE",
                "time": row.ms,
                "tranId": 9_000_000_000 + row.number,
                "tradeId": "",
            }
            for row in caller.account.funding
            if first <= row.ms <= last and symbol in (None, row.listing.symbol)
        ]
        return rows[: params.whole("limit", 100)]

    def set_leverage(self, caller: Caller) -> dict[str, Any]:
        listing, leverage = self._listing(caller), caller.params.whole("leverage")
        try:
            self._desk.set_leverage(caller.account, listing.symbol, leverage)
        except Refused as refused:
            if refused.reason == Reason.LEVERAGE:
                raise RefusalError(-4028, f"Leverage {leverage} is not valid") from None
            raise
        return {"leverage": leverage, "maxNotionalValue": MOST_NOTIONAL, "symbol": listing.symbol}

    def set_margin_type(self, caller: Caller) -> dict[str, Any]:
        listing, account = self._listing(caller), caller.account
        mode = caller.params.one_of("marginType", MARGIN_TYPES, (-4045, "Margin type is not valid."))
        if account.setting(listing.symbol).mode == mode:
            raise refusal(NO_CHANGE_OF_MARGIN)
        if any(order.listing is listing for order in account.open.values()):
            raise refusal(MARGIN_OF_ORDERS)
        if any(row.size and row.listing is listing for row in account.positions.values()):
            raise refusal(MARGIN_OF_POSITION)
        self._desk.set_leverage(account, listing.symbol, None, mode)
        return DONE

    def position_mode(self, caller: Caller) -> dict[str, Any]:
        return {"dualSidePosition": caller.account.hedge}

    def set_position_mode(self, caller: Caller) -> dict[str, Any]:
        caller.params.require("dualSidePosition")
        wanted, account = caller.params.flag("dualSidePosition"), caller.account
        if wanted == account.hedge:
            raise refusal(NO_CHANGE_OF_SIDE)
        busy = any(order.listing.market_type == "futures" for order in account.open.values())
        if busy or any(row.size for row in account.positions.values()):
            raise refusal(SIDE_OF_POSITION)
        account.hedge = wanted
        return DONE

    def brackets(self, caller: Caller) -> list[dict[str, Any]]:
        bracket = {
            "bracket": 1,
            "initialLeverage": self._desk.rules.most_leverage,
            "notionalCap": int(MOST_NOTIONAL),
            "notionalFloor": 0,
            "maintMarginRatio": float(MAINTENANCE),
            "cum": 0.0,
        }
        symbol = caller.params.optional("symbol")
        rows = [{"symbol": row.symbol, "brackets": [bracket]} for row in self._desk.listed("futures")]
        return [row for row in rows if symbol in (None, row["symbol"])]

    def symbol_config(self, caller: Caller) -> list[dict[str, Any]]:
        symbol = caller.params.optional("symbol")
        symbols = [row.symbol for row in self._desk.listed("futures") if symbol in (None, row.symbol)]
        settings = {name: caller.account.setting(name) for name in symbols}
        return [
            {
                "symbol": name,
                "marginType": "ISOLATED" if row.mode == "isolated" else "CROSSED",
                "isAutoAddMargin": False,
                "leverage": row.leverage,
                "maxNotionalValue": MOST_NOTIONAL,
            }
            for name, row in settings.items()
        ]

    def _listing(self, caller: Caller) -> Listing:
        return self._desk.market(caller.market_type, caller.params.text("symbol")).listing

    def _held(self, caller: Caller) -> list[Position]:
        return [row for row in caller.account.positions.values() if row.size]

    def _of(self, account: Account, asset: str) -> list[Position]:
        return [row for row in account.positions.values() if row.size and row.listing.settle == asset]

    def _unrealised(self, account: Account, asset: str) -> Decimal:
        rows = self._of(account, asset)
        return total(row.unrealised(self._desk.mark(row.listing)) for row in rows)

    def _margin(self, account: Account, asset: str) -> Decimal:
        return total(row.margin for row in self._of(account, asset))

    def _maintenance(self, account: Account, asset: str) -> Decimal:
        return total(row.cost for row in self._of(account, asset)) * MAINTENANCE

    def _account_row(self, row: Position) -> dict[str, Any]:
        mark = self._desk.mark(row.listing)
        return {
            "symbol": row.listing.symbol,
            "positionSide": SIDE[row.side],
            "positionAmt": row.listing.size.text(row.size),
            "unrealizedProfit": money(row.unrealised(mark)),
            "isolatedMargin": money(row.margin) if row.mode == "isolated" else "0",
            "notional": money(mark * row.size * unit(row.listing)),
            "isolatedWallet": money(row.margin) if row.mode == "isolated" else "0",
            "initialMargin": money(row.margin),
            "maintMargin": money(row.cost * MAINTENANCE),
            "updateTime": row.updated_ms,
        }

    def _risk_row(self, row: Position) -> dict[str, Any]:
        mark = self._desk.mark(row.listing)
        return {
            "symbol": row.listing.symbol,
            "positionSide": SIDE[row.side],
            "positionAmt": row.listing.size.text(row.size),
            "entryPrice": f"{row.entry:.8f}",
            "breakEvenPrice": f"{row.entry:.8f}",
            "markPrice": money(mark),
            "unRealizedProfit": money(row.unrealised(mark)),
            "liquidationPrice": "0",
            "isolatedMargin": money(row.margin) if row.mode == "isolated" else "0",
            "notional": money(mark * row.size * unit(row.listing)),
            "marginAsset": row.listing.settle,
            "isolatedWallet": money(row.margin) if row.mode == "isolated" else "0",
            "initialMargin": money(row.margin),
            "maintMargin": money(row.cost * MAINTENANCE),
            "positionInitialMargin": money(row.margin),
            "openOrderInitialMargin": "0",
            "adl": 0,
            "bidNotional": "0",
            "askNotional": "0",
            "updateTime": row.updated_ms,
        }


def total(values: Iterable[Decimal | str]) -> Decimal:
    return sum(map(Decimal, values), Decimal(0))
